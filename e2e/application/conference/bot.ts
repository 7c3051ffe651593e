import type { types } from "mediasoup";

/** Somebody without a device, who answers in the chat to everything that is a question. */
export class Bot {
  private constructor(
    readonly transport: types.DirectTransport,
    readonly dataProducer: types.DataProducer,
  ) {}

  static async enter(router: types.Router): Promise<Bot> {
    const transport = await router.createDirectTransport({ maxSendMessageSize: 4096 });
    return new Bot(transport, await transport.produceData({ label: "chat", appData: { name: "bot" } }));
  }

  async listenTo(dataProducer: types.DataProducer): Promise<void> {
    const dataConsumer = await this.transport.consumeData({ dataProducerId: dataProducer.id });
    dataConsumer.on("message", (message) => {
      const text = message.toString();
      if (text.endsWith("?")) this.dataProducer.send(`${dataProducer.appData.name}, I do not know: ${text}`);
    });
  }
}
