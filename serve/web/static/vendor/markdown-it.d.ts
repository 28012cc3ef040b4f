// What the page uses of markdown-it, for the type check; the library beside this file is npm's own, unchanged.

export interface Token {
  block: boolean;
  type: string;
  tag: string;
  content: string;
  children: Token[] | null;
  hidden: boolean;
  attrGet(name: string): string | null;
}

export default class MarkdownIt {
  constructor(preset: "zero", options: { html: boolean; linkify: boolean });
  enable(rules: string[]): this;
  parse(text: string, environment: object): Token[];
}
