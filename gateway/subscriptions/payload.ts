import { type Answer, bodyText } from '../graph.ts';

/** How a door writes an answer; `text` is its body as JSON. */
export type Framing = (answer: Answer, text: string) => string;

/** An answer on its way to many readers: its text, and each door's frame of it, are written once. */
export class Payload {
  readonly text: string;
  private readonly answer: Answer;
  private readonly frames = new Map<Framing, Buffer>();

  constructor(answer: Answer) {
    this.answer = answer;
    this.text = bodyText(answer);
  }

  frame(framing: Framing): Buffer {
    let frame = this.frames.get(framing);
    if (!frame) {
      frame = Buffer.from(framing(this.answer, this.text));
      this.frames.set(framing, frame);
    }
    return frame;
  }
}
