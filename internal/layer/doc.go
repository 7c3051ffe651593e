// Package layer decides which packets of one scalable stream one receiver is
// sent, and keeps the numbers in them without jumps: a Filter drops the
// temporal and spatial layers that the receiver cannot carry, and never a frame
// that one it is sent depends on; Gaps and Pictures renumber what is left.
//
// It does not choose a receiver's layers, does not switch between the streams
// of simulcast (its user does, and says so with Restart), keeps no packets and
// reads no network bytes: that is done once for all receivers by codec.
//
// What a stream shows decides how it is filtered, in this order:
//
//   - the dependency descriptor, for any codec, encrypted payload included:
//     decode targets and their switch indications (AV1 RTP specification,
//     appendix A),
//   - the payload descriptor of VP9 (RFC 9628), which tells spatial and
//     temporal layers, of VP8 (RFC 7741) and the NAL unit header of H265
//     (RFC 7798), which tell temporal layers,
//   - nothing: then everything is sent.
//
// It is an engine: the values are owned by whoever sends to the receiver and
// are not safe for concurrent use. Nothing here allocates.
package layer
