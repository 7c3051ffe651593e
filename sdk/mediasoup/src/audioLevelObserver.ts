import type { AppData } from "./appData";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import type { ProducerImpl } from "./producer";
import type { Handlers } from "./remoteObject";
import { RtpObserverImpl, type RtpObserverEvents, type RtpObserverMaking, type RtpObserverObserverEvents } from "./rtpObserver";

export type AudioLevelObserverOptions<AudioLevelObserverAppData extends AppData = AppData> = {
  /** How many producers an event names at the most; 1 by default. */
  maxEntries?: number;
  /** The least average volume of a producer that is named, -127 to 0 dBov; -80 by default. */
  threshold?: number;
  /** In ms; 1000 by default. */
  interval?: number;
  appData?: AudioLevelObserverAppData;
};

export type AudioLevelObserverVolume = {
  producer: ProducerImpl;
  /** Its average over the last interval, -127 to 0 dBov. */
  volume: number;
};

type Levels = {
  volumes: [AudioLevelObserverVolume[]];
  silence: [];
};

export type AudioLevelObserverEvents = RtpObserverEvents & Levels;

export type AudioLevelObserverObserver = EnhancedEventEmitter<AudioLevelObserverObserverEvents>;

export type AudioLevelObserverObserverEvents = RtpObserverObserverEvents & Levels;

/** Tells who is heard and how loud. */
export class AudioLevelObserverImpl<AudioLevelObserverAppData extends AppData = AppData> extends RtpObserverImpl<
  AudioLevelObserverAppData,
  AudioLevelObserverEvents,
  AudioLevelObserverObserver
> {
  /** @internal */
  constructor(making: RtpObserverMaking<AudioLevelObserverAppData>) {
    super(making);
  }

  get type(): "audiolevel" {
    return "audiolevel";
  }

  #volumesOf(entries: { producerId: string; volume: number }[]): AudioLevelObserverVolume[] {
    return entries.flatMap(({ producerId, volume }) => {
      const producer = this.producer(producerId);
      return producer ? [{ producer, volume }] : [];
    });
  }

  /** @internal */
  protected override readonly handlers: Handlers = {
    ...this.baseHandlers,
    volumes: ({ volumes }) => {
      const known = this.#volumesOf(volumes as { producerId: string; volume: number }[]);
      if (known.length > 0) this.proclaim("volumes", known);
    },
    silence: () => this.proclaim("silence"),
  };
}
