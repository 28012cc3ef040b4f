// The part of wllama that this page uses.
export class Wllama {
  constructor(paths: { "single-thread/wllama.wasm": string }, options?: object);
  loadModel(blobs: Blob[], options?: object): Promise<void>;
  detokenize(tokens: number[]): Promise<Uint8Array>;
  decode(tokens: number[], options: { skipLogits?: boolean }): Promise<{ nPast: number }>;
  getLogits(topK: number): Promise<{ token: number; p: number }[]>;
  kvRemove(keep: number, discard: number): Promise<void>;
  kvClear(): Promise<void>;
  isTokenEOG(token: number): boolean;
  exit(): Promise<void>;
}
