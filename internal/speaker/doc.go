// Package speaker finds out who is speaking from the audio-level header
// extension (RFC 6464) alone, so that nothing is decoded and end-to-end
// encrypted audio counts like any other: how loud each source was over an
// interval ([Reading], [Loudest]), and who has the floor ([Activity],
// [Dominant]).
//
// A [Source] is fed with every packet of a sender. Any number of observers read
// it, each at its own pace, and leave no trace in it.
//
// [Dominant] follows I. Volfin and I. Cohen, "Dominant speaker identification
// for multipoint videoconferencing", Computer Speech & Language 27 (2013): the
// activity of each source at three time scales, each turned into the logarithm
// of how much likelier it is with speech than without, is compared with that of
// who has the floor.
//
// It is an engine: no goroutine, lock or clock. Whoever shares a Source between
// goroutines guards it.
package speaker
