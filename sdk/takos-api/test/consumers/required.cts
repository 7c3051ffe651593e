import takos = require("@takos/call-api");

export const client = new takos.TakosCallClient("wss://call.example.org/takos-api", "key", { autoReconnect: false });
client.on("disconnected", ({ code }) => console.log(code));
