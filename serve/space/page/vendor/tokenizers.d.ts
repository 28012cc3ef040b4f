// The part of @huggingface/tokenizers that this page uses.
export class Tokenizer {
  constructor(tokenizer: object, config: object);
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
}
