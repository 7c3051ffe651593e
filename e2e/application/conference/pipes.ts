import type { types } from "mediasoup";

/** A producer or a data producer. */
export type Source = { readonly id: string; readonly closed: boolean; readonly observer: { once(event: "close", listener: () => void): unknown } };

/** Carries producers and data producers of a room to those of its routers where somebody wants them, each once. */
export class Pipes {
  readonly #piped = new Map<string, Promise<types.PipeToRouterResult>>();

  /** Has a producer on a router, whichever it was made on. */
  async producer(producer: types.Producer, from: types.Router, to: types.Router): Promise<types.Producer> {
    if (from === to) return producer;
    const { pipeProducer } = await this.#once(producer, to, () => from.pipeToRouter({ producerId: producer.id, router: to }));
    return pipeProducer!;
  }

  /** Has a data producer on a router, whichever it was made on. */
  async dataProducer(dataProducer: types.DataProducer, from: types.Router, to: types.Router): Promise<types.DataProducer> {
    if (from === to) return dataProducer;
    const { pipeDataProducer } = await this.#once(dataProducer, to, () => from.pipeToRouter({ dataProducerId: dataProducer.id, router: to }));
    return pipeDataProducer!;
  }

  async #once(source: Source, to: types.Router, pipe: () => Promise<types.PipeToRouterResult>): Promise<types.PipeToRouterResult> {
    const key = `${source.id} ${to.id}`;
    const there = this.#piped.get(key);
    if (there) return there;
    const made = pipe();
    this.#piped.set(key, made);
    source.observer.once("close", () => this.#piped.delete(key));
    return made;
  }
}
