// Starts the application's server as its own documentation says, with four workers on any machine.
const config = require("simple-mediasoup-peer-server/config");
const SimpleMediasoupPeerServer = require("simple-mediasoup-peer-server");

config.mediasoup.numWorkers = 4;
new SimpleMediasoupPeerServer({ port: Number(process.env.PORT) });
