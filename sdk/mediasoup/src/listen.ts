export type TransportProtocol = "udp" | "tcp";

/** Where a socket listens. */
export type TransportListenInfo = {
  protocol: TransportProtocol;
  /** An address of the server's, or 0.0.0.0 or ::. */
  ip: string;
  /** @deprecated The older name of announcedAddress. */
  announcedIp?: string;
  /** The address or host name that others reach it by, if that is another one. */
  announcedAddress?: string;
  /** Tells others of ip too, if announcedAddress is given. */
  exposeInternalIp?: boolean;
  port?: number;
  /** Of which a free port is taken; port is ignored then. */
  portRange?: TransportPortRange;
  flags?: TransportSocketFlags;
  /** In bytes. */
  sendBufferSize?: number;
  /** In bytes. */
  recvBufferSize?: number;
};

/** @deprecated TransportListenInfo says more. */
export type TransportListenIp = {
  ip: string;
  announcedIp?: string;
};

export type TransportPortRange = {
  min: number;
  max: number;
};

export type TransportSocketFlags = {
  /** A socket on :: takes no IPv4. */
  ipv6Only?: boolean;
  /** Several transports may share the port; UDP only. */
  udpReusePort?: boolean;
};

/** The two ends of a connection. */
export type TransportTuple = {
  /** @deprecated The older name of localAddress. */
  localIp: string;
  localAddress: string;
  localPort: number;
  remoteIp?: string;
  remotePort?: number;
  protocol: TransportProtocol;
};

/** The listen info under its present names. */
export function listenInfoOf({ announcedIp, ...info }: TransportListenInfo): TransportListenInfo {
  return announcedIp === undefined || info.announcedAddress !== undefined ? info : { ...info, announcedAddress: announcedIp };
}

/** The listen info that an older option means. */
export function listenInfoOfIp(listenIp: TransportListenIp | string, protocol: TransportProtocol, port?: number): TransportListenInfo {
  const { ip, announcedIp } = typeof listenIp === "string" ? { ip: listenIp, announcedIp: undefined } : listenIp;
  return { protocol, ip, announcedAddress: announcedIp, port };
}

/** The one listen info of a transport that has one socket, by either option. */
export function oneListenInfo(options: { listenInfo?: TransportListenInfo; listenIp?: TransportListenIp | string; port?: number }): TransportListenInfo {
  const { listenInfo, listenIp, port } = options;
  if (listenInfo && listenIp) throw new TypeError("listenInfo and listenIp cannot both be given");
  if (listenInfo) return listenInfoOf(listenInfo);
  if (listenIp) return listenInfoOfIp(listenIp, "udp", port);
  throw new TypeError("listenInfo is missing");
}
