import type { AppData } from "./appData";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import type { ProducerImpl } from "./producer";
import type { Handlers } from "./remoteObject";
import { RtpObserverImpl, type RtpObserverEvents, type RtpObserverMaking, type RtpObserverObserverEvents } from "./rtpObserver";

export type ActiveSpeakerObserverOptions<ActiveSpeakerObserverAppData extends AppData = AppData> = {
  /** In ms; 300 by default. */
  interval?: number;
  appData?: ActiveSpeakerObserverAppData;
};

export type ActiveSpeakerObserverDominantSpeaker = {
  producer: ProducerImpl;
};

export type ActiveSpeakerObserverEvents = RtpObserverEvents & {
  dominantspeaker: [ActiveSpeakerObserverDominantSpeaker];
};

export type ActiveSpeakerObserverObserver = EnhancedEventEmitter<ActiveSpeakerObserverObserverEvents>;

export type ActiveSpeakerObserverObserverEvents = RtpObserverObserverEvents & {
  dominantspeaker: [ActiveSpeakerObserverDominantSpeaker];
};

/** Tells who has the floor. */
export class ActiveSpeakerObserverImpl<ActiveSpeakerObserverAppData extends AppData = AppData> extends RtpObserverImpl<
  ActiveSpeakerObserverAppData,
  ActiveSpeakerObserverEvents,
  ActiveSpeakerObserverObserver
> {
  /** @internal */
  constructor(making: RtpObserverMaking<ActiveSpeakerObserverAppData>) {
    super(making);
  }

  get type(): "activespeaker" {
    return "activespeaker";
  }

  /** @internal */
  protected override readonly handlers: Handlers = {
    ...this.baseHandlers,
    dominantspeaker: ({ producerId }) => {
      const producer = this.producer(producerId as string);
      if (producer) this.proclaim("dominantspeaker", { producer });
    },
  };
}
