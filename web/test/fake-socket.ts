import type { ClientMessage, ServerMessage } from "../src/call/protocol";
import type { Socket } from "../src/call/signaling";

/** A WebSocket whose server is the test. */
export class FakeSocket implements Socket {
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readonly sent: ClientMessage[] = [];
  closedWith: number | undefined;
  /** Called with each message that the client sends. */
  served: (message: ClientMessage) => void = () => undefined;

  constructor(readonly url: string) {}

  send(frame: string): void {
    const message = JSON.parse(frame) as ClientMessage;
    this.sent.push(message);
    this.served(message);
  }

  close(code?: number): void {
    this.closedWith = code;
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.({} as Event);
  }

  say(message: ServerMessage | { type: string }): void {
    this.onmessage?.({ data: JSON.stringify(message) } as MessageEvent);
  }

  /** The server closes, or with 1006 the line breaks. */
  end(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code } as CloseEvent);
  }
}

/** Lets everything that waits for promises go on. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}
