/** softmax(Q K^T / sqrt(d)) V and its gradient, in double precision and as plain as can be. */

export interface Shape {
  readonly images: number;
  readonly tokens: number;
  readonly heads: number;
  readonly width: number;
}

type Numbers = Float32Array | Float64Array;

interface Head {
  /** Element of the first token's query in qkv, and of its output in out; elements from token to token. */
  readonly query: number;
  readonly out: number;
  readonly rowOfQkv: number;
  readonly rowOfOut: number;
  /** D */
  readonly dim: number;
}

function headsOf({ images, tokens, heads, width }: Shape): Head[] {
  const dim = heads * width;
  return Array.from({ length: images * heads }, (_, index) => {
    const image = Math.floor(index / heads);
    const within = (index % heads) * width;
    return {
      query: image * tokens * 3 * dim + within,
      out: image * tokens * dim + within,
      rowOfQkv: 3 * dim,
      rowOfOut: dim,
      dim,
    };
  });
}

/** Probabilities of the keys for a query, and the logarithm of the sum of exponentials of its scores. */
function probabilities(shape: Shape, head: Head, qkv: Numbers, query: number) {
  const scores = Array.from({ length: shape.tokens }, (_, key) => {
    let score = 0;
    const [q, k] = [head.query + query * head.rowOfQkv, head.query + key * head.rowOfQkv + head.dim];
    for (let i = 0; i < shape.width; i++) score += qkv[q + i]! * qkv[k + i]!;
    return score / Math.sqrt(shape.width);
  });
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return { p: powers.map((power) => power / sum), logSum: largest + Math.log(sum) };
}

export function attentionOf(shape: Shape, qkv: Numbers) {
  const out = new Float64Array(qkv.length / 3);
  const logSumExp: number[] = [];
  for (const head of headsOf(shape)) {
    for (let query = 0; query < shape.tokens; query++) {
      const { p, logSum } = probabilities(shape, head, qkv, query);
      logSumExp.push(logSum);
      for (let key = 0; key < shape.tokens; key++) {
        const value = head.query + key * head.rowOfQkv + 2 * head.dim;
        for (let i = 0; i < shape.width; i++) {
          out[head.out + query * head.rowOfOut + i]! += p[key]! * qkv[value + i]!;
        }
      }
    }
  }
  return { out, logSumExp };
}

export function attentionGradient(shape: Shape, qkv: Numbers, dOut: Numbers): Float64Array {
  const dQkv = new Float64Array(qkv.length);
  for (const head of headsOf(shape)) {
    for (let query = 0; query < shape.tokens; query++) {
      const { p } = probabilities(shape, head, qkv, query);
      const at = head.out + query * head.rowOfOut;
      const dP = p.map((_, key) => {
        const value = head.query + key * head.rowOfQkv + 2 * head.dim;
        let sum = 0;
        for (let i = 0; i < shape.width; i++) sum += dOut[at + i]! * qkv[value + i]!;
        return sum;
      });
      const mean = dP.reduce((sum, v, key) => sum + v * p[key]!, 0);
      p.forEach((probability, key) => {
        const dScore = (probability * (dP[key]! - mean)) / Math.sqrt(shape.width);
        for (let i = 0; i < shape.width; i++) {
          const q = head.query + query * head.rowOfQkv + i;
          const k = head.query + key * head.rowOfQkv + head.dim + i;
          dQkv[q]! += dScore * qkv[k]!;
          dQkv[k]! += dScore * qkv[q]!;
          dQkv[k + head.dim]! += probability * dOut[at + i]!;
        }
      });
    }
  }
  return dQkv;
}
