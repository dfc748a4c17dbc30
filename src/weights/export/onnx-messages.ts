/**
 * ONNX's messages, as far as an exported model uses them, with the field numbers of onnx.proto (IR version 8, Apache-2.0,
 * https://github.com/onnx/onnx). The package onnx-proto is not used: its last version needs a protobufjs of 2021.
 */
import protobuf from 'protobufjs';

const field = (id: number, type: string, rule?: 'repeated') => ({ id, type, ...(rule && { rule }) });

const { Root } = protobuf;

const root = Root.fromJSON({
  nested: {
    Model: {
      fields: {
        irVersion: field(1, 'int64'),
        producerName: field(2, 'string'),
        producerVersion: field(3, 'string'),
        graph: field(7, 'Graph'),
        opsetImport: field(8, 'OperatorSet', 'repeated'),
        metadataProps: field(14, 'Entry', 'repeated'),
      },
    },
    OperatorSet: { fields: { domain: field(1, 'string'), version: field(2, 'int64') } },
    Entry: { fields: { key: field(1, 'string'), value: field(2, 'string') } },
    Graph: {
      fields: {
        node: field(1, 'Node', 'repeated'),
        name: field(2, 'string'),
        initializer: field(5, 'Tensor', 'repeated'),
        input: field(11, 'ValueInfo', 'repeated'),
        output: field(12, 'ValueInfo', 'repeated'),
      },
    },
    Node: {
      fields: {
        input: field(1, 'string', 'repeated'),
        output: field(2, 'string', 'repeated'),
        name: field(3, 'string'),
        opType: field(4, 'string'),
        attribute: field(5, 'Attribute', 'repeated'),
      },
    },
    Attribute: {
      fields: {
        name: field(1, 'string'),
        f: field(2, 'float'),
        i: field(3, 'int64'),
        ints: field(8, 'int64', 'repeated'),
        type: field(20, 'int32'),
      },
    },
    Tensor: {
      fields: {
        dims: field(1, 'int64', 'repeated'),
        dataType: field(2, 'int32'),
        name: field(8, 'string'),
        rawData: field(9, 'bytes'),
      },
    },
    ValueInfo: { fields: { name: field(1, 'string'), type: field(2, 'Type') } },
    Type: { fields: { tensorType: field(1, 'TensorType') } },
    TensorType: { fields: { elemType: field(1, 'int32'), shape: field(2, 'Shape') } },
    Shape: { fields: { dim: field(1, 'Dimension', 'repeated') } },
    Dimension: { fields: { dimValue: field(1, 'int64'), dimParam: field(2, 'string') } },
  },
});

/** Numbers of element types. */
export const ELEMENT = { float: 1, int64: 7, float16: 10 } as const;

export type Attributes = Readonly<Record<string, number | readonly number[]>>;

export interface OnnxNode {
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attributes: Attributes;
}

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  /** Little-endian. */
  readonly rawData: Uint8Array;
}

export interface OnnxValue {
  readonly name: string;
  /** A text is a length that is known only when the model runs. */
  readonly dims: readonly (number | string)[];
}

export interface OnnxModel {
  readonly opset: number;
  readonly producerVersion: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly input: OnnxValue;
  readonly output: OnnxValue;
  readonly metadata: Readonly<Record<string, string>>;
}

/** AttributeProto.AttributeType */
const FLOAT = 1;
const INT = 2;
const INTS = 7;

/** Names of attributes that are floats whatever their value. */
const FLOATS: readonly string[] = ['epsilon'];

function attributeOf([name, value]: readonly [string, number | readonly number[]]) {
  if (typeof value !== 'number') return { name, type: INTS, ints: value };
  return FLOATS.includes(name) ? { name, type: FLOAT, f: value } : { name, type: INT, i: value };
}

function valueOf({ name, dims }: OnnxValue) {
  const dim = dims.map((length) =>
    typeof length === 'string' ? { dimParam: length } : { dimValue: length },
  );
  return { name, type: { tensorType: { elemType: ELEMENT.float, shape: { dim } } } };
}

/** The bytes of a model file. */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const type = root.lookupType('Model');
  const message = {
    irVersion: 8,
    producerName: 'vitrail',
    producerVersion: model.producerVersion,
    opsetImport: [{ domain: '', version: model.opset }],
    metadataProps: Object.entries(model.metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: 'vision-transformer',
      node: model.nodes.map(({ opType, input, output, attributes }) => ({
        opType,
        input,
        output,
        name: output[0],
        attribute: Object.entries(attributes).map(attributeOf),
      })),
      initializer: model.initializers,
      input: [valueOf(model.input)],
      output: [valueOf(model.output)],
    },
  };
  return type.encode(type.fromObject(message)).finish();
}
