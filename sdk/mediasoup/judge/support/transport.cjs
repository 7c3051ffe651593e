// By which a test makes a notification in mediasoup's wire format.
const { Protocol } = require("../.cache/mediasoup/node/lib/fbs/transport/protocol");

exports.serializeProtocol = (protocol) => ({ udp: Protocol.UDP, tcp: Protocol.TCP })[protocol];
