import { readFile } from "node:fs/promises";
import { checkAppData, type AppData } from "./appData";
import { EnhancedEventEmitter } from "./enhancedEvents";
import { Logger } from "./logger";
import { currentConnection } from "./server";
import { WorkerImpl, type WorkerInfo, type WorkerSettings } from "./worker";

export type ObserverEvents = {
  newworker: [WorkerImpl];
};

export type Observer = EnhancedEventEmitter<ObserverEvents>;

const logger = new Logger("Worker");

/** Tells of every worker that this process makes. */
export const observer: Observer = new EnhancedEventEmitter();

/** Makes a worker on the server that setServer() or the environment names. */
export async function createWorker<WorkerAppData extends AppData = AppData>({
  dtlsCertificateFile,
  dtlsPrivateKeyFile,
  workerBin,
  appData,
  ...settings
}: WorkerSettings<WorkerAppData> = {}): Promise<WorkerImpl<WorkerAppData>> {
  logger.debug("createWorker()");
  checkAppData(appData);
  if (workerBin) logger.warn(`workerBin "${workerBin}" is ignored: the server is already running`);
  const connection = currentConnection();
  const info = await connection.request<WorkerInfo>("worker.create", {
    ...settings,
    dtlsCertificate: await contentsOf("dtlsCertificateFile", dtlsCertificateFile),
    dtlsPrivateKey: await contentsOf("dtlsPrivateKeyFile", dtlsPrivateKeyFile),
    // As an application's own processes would, its objects end with it.
    onDisconnect: "close",
    disconnectGraceMs: connection.graceMs,
  });
  const worker = new WorkerImpl(connection, info, appData);
  observer.safeEmit("newworker", worker as unknown as WorkerImpl);
  return worker;
}

async function contentsOf(name: string, file: string | undefined): Promise<string | undefined> {
  if (!file) return undefined;
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new TypeError(`${name} cannot be read: ${(error as Error).message}`);
  }
}
