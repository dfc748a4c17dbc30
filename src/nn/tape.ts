/**
 * Reverse-mode differentiation over a recorded list of ops, freeing memory as it walks back.
 *
 * tfjs's own tape is not used: `variableGrads` keeps every activation and gradient until the end, `customGrad`
 * silently drops captured variables, the gradients of Sum and Mean build ones on the host, and
 * `dist/register_all_gradients` cannot be loaded by Node. Here an op states its own gradient, and nothing needs
 * to be registered. If a gradient would be lost, that is an error.
 */
import { tf } from './tfjs.js';
import type { ParameterSlot } from '../run/model/parameter-layout.js';
import { coded } from '../errors/errors.js';
import { sameBuffer } from './tensor-handle.js';

/** Gradients of the op's inputs, in their order. The tape owns and frees the returned tensors. */
export type Backward = (dy: tf.Tensor, saved: readonly tf.Tensor[]) => tf.Tensor[];

/** Called as soon as a parameter's gradient is final. The tensor lives only during the call. */
export type GradientSink = (slot: ParameterSlot, gradient: tf.Tensor) => void;

export interface OpRecord<S extends readonly tf.Tensor[]> {
  readonly output: tf.Tensor;
  /**
   * The tensors that the output is differentiated by: parameters, leaves and outputs of earlier ops, but not
   * constants.
   */
  readonly inputs: readonly tf.Tensor[];
  /**
   * The tensors that `backward` needs. The tape makes its own handles of them, so the op may be inside a
   * tidy.
   */
  readonly saved: S;
  readonly backward: (dy: tf.Tensor, saved: S) => tf.Tensor[];
}

interface Node {
  readonly outputId: number;
  readonly inputIds: readonly number[];
  readonly saved: readonly tf.Tensor[];
  readonly backward: Backward;
}

function internal(reason: string): Error {
  return coded('INTERNAL', { reason });
}

export class Tape {
  readonly #parameters: ReadonlyMap<number, ParameterSlot>;
  readonly #sink: GradientSink;
  readonly #nodes: Node[] = [];
  /** For each tensor id, the number of recorded uses whose contribution to the gradient is still missing. */
  readonly #openUses = new Map<number, number>();
  readonly #gradients = new Map<number, tf.Tensor>();

  /** @param parameters by tensor id: the tensors whose gradients go to `sink` */
  constructor(parameters: ReadonlyMap<number, ParameterSlot>, sink: GradientSink) {
    this.#parameters = parameters;
    this.#sink = sink;
  }

  /**
   * An empty tape with the same parameters and sink, for a part that is computed again in the backward pass.
   */
  nested(): Tape {
    return new Tape(this.#parameters, this.#sink);
  }

  /** Declares an input whose gradient is wanted; `takeGradient` returns it. */
  watch(leaf: tf.Tensor): void {
    this.#openUses.set(leaf.id, 0);
  }

  record<const S extends readonly tf.Tensor[]>(op: OpRecord<S>): void {
    for (const { id } of op.inputs) {
      if (!this.#openUses.has(id) && !this.#parameters.has(id)) {
        throw internal(`an op was recorded on tensor ${id}, which no recorded op made`);
      }
    }
    for (const { id } of op.inputs) this.#openUses.set(id, (this.#openUses.get(id) ?? 0) + 1);
    this.#openUses.set(op.output.id, 0);
    this.#nodes.push({
      outputId: op.output.id,
      inputIds: op.inputs.map((input) => input.id),
      saved: op.saved.map((tensor) => tf.keep(sameBuffer(tensor))),
      // Only here is `saved` given back to the op that stored it, with the same tensors in the same order.
      backward: op.backward as unknown as Backward,
    });
  }

  /** Walks from `output`, whose gradient is `dy` (not consumed), back to the parameters and leaves, once. */
  walk(output: tf.Tensor, dy: tf.Tensor): void {
    this.#gradients.set(output.id, tf.keep(sameBuffer(dy)));
    for (let node = this.#nodes.pop(); node !== undefined; node = this.#nodes.pop()) {
      const { outputId, inputIds, saved, backward } = node;
      const outputGradient = this.#gradients.get(outputId);
      this.#gradients.delete(outputId);
      if (outputGradient === undefined) {
        tf.dispose([...saved]);
        throw internal(`the recorded tensor ${outputId} does not reach the loss`);
      }
      let inputGradients: tf.Tensor[];
      try {
        inputGradients = tf.tidy(() => backward(outputGradient, saved).map((gradient) => tf.keep(gradient)));
      } finally {
        tf.dispose([...saved]);
        outputGradient.dispose();
      }
      this.#contributeAll(inputIds, inputGradients);
    }
  }

  /** The gradient of a watched leaf after `walk`; the caller owns it. */
  takeGradient(leaf: tf.Tensor): tf.Tensor {
    const gradient = this.#gradients.get(leaf.id);
    if (gradient === undefined) throw internal(`no gradient reached tensor ${leaf.id}`);
    this.#gradients.delete(leaf.id);
    return gradient;
  }

  /** Frees everything that the tape still holds, which is nothing after a complete walk. */
  dispose(): void {
    for (const { saved } of this.#nodes) tf.dispose([...saved]);
    this.#nodes.length = 0;
    tf.dispose([...this.#gradients.values()]);
    this.#gradients.clear();
  }

  #contributeAll(ids: readonly number[], gradients: readonly tf.Tensor[]): void {
    for (const [i, id] of ids.entries()) {
      try {
        this.#contribute(id, gradients[i]!);
      } catch (error) {
        // The gradients before this one belong to the tape by now.
        tf.dispose(gradients.slice(i));
        throw error;
      }
    }
  }

  #contribute(id: number, gradient: tf.Tensor): void {
    const earlier = this.#gradients.get(id);
    const sum = earlier === undefined ? gradient : tf.keep(tf.add(earlier, gradient));
    if (earlier !== undefined) tf.dispose([earlier, gradient]);
    this.#gradients.set(id, sum);

    const open = this.#openUses.get(id)! - 1;
    this.#openUses.set(id, open);
    const slot = this.#parameters.get(id);
    if (slot === undefined || open > 0) return;
    this.#sink(slot, sum);
    this.#gradients.delete(id);
    sum.dispose();
  }
}
