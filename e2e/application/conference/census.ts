import * as mediasoup from "mediasoup";
import type { types } from "mediasoup";

/** How many objects of each kind are open, counted by mediasoup's observers. */
export type Census = Record<"workers" | "routers" | "transports" | "producers" | "consumers" | "dataProducers" | "dataConsumers", number>;

/** Counts every object that is made from now on, whoever makes it. */
export function takeCensus(): Census {
  const census: Census = { workers: 0, routers: 0, transports: 0, producers: 0, consumers: 0, dataProducers: 0, dataConsumers: 0 };
  mediasoup.observer.on("newworker", (worker) => {
    census.workers++;
    worker.observer.once("close", () => census.workers--);
    worker.observer.on("newrouter", (router) => {
      census.routers++;
      router.observer.once("close", () => census.routers--);
      router.observer.on("newtransport", (transport) => countTransport(census, transport));
    });
  });
  return census;
}

function countTransport(census: Census, transport: types.Transport): void {
  census.transports++;
  transport.observer.once("close", () => census.transports--);
  transport.observer.on("newproducer", (producer) => {
    census.producers++;
    producer.observer.once("close", () => census.producers--);
  });
  transport.observer.on("newconsumer", (consumer) => {
    census.consumers++;
    consumer.observer.once("close", () => census.consumers--);
  });
  transport.observer.on("newdataproducer", (dataProducer) => {
    census.dataProducers++;
    dataProducer.observer.once("close", () => census.dataProducers--);
  });
  transport.observer.on("newdataconsumer", (dataConsumer) => {
    census.dataConsumers++;
    dataConsumer.observer.once("close", () => census.dataConsumers--);
  });
}
