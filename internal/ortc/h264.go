package ortc

import "strconv"

// h264Profile is what a profile-level-id says about the tools a stream uses.
type h264Profile uint8

const (
	h264ConstrainedBaseline h264Profile = iota + 1
	h264Baseline
	h264Main
	h264ConstrainedHigh
	h264High
	h264PredictiveHigh444
)

// h264Level is level_idc, ten times the level of ITU-T H.264 Table A-1; level
// 1b, which shares 11 with level 1.1, has a number of its own.
type h264Level uint8

const (
	h264Level1b h264Level = 0
	h264Level1  h264Level = 10
	h264Level11 h264Level = 11
	h264Level31 h264Level = 31
)

// h264ProfileLevel is a decoded profile-level-id (RFC 6184 §8.1).
type h264ProfileLevel struct {
	profile h264Profile
	level   h264Level
}

// h264Default is what the absence of profile-level-id means. RFC 6184 §8.1 says
// Baseline level 1; browsers and mediasoup mean this.
var h264Default = h264ProfileLevel{h264ConstrainedBaseline, h264Level31}

// h264Profiles tells profiles by profile_idc and by the constraint flags in
// profile_iop that matter: those in mask have to equal want (RFC 6184 §8.1
// Table 5). The four low bits are reserved, and zero.
var h264Profiles = []struct {
	idc, mask, want uint8
	profile         h264Profile
}{
	{0x42, 0b0100_1111, 0b0100_0000, h264ConstrainedBaseline},
	{0x4d, 0b1000_1111, 0b1000_0000, h264ConstrainedBaseline},
	{0x58, 0b1100_1111, 0b1100_0000, h264ConstrainedBaseline},
	{0x42, 0b0100_1111, 0b0000_0000, h264Baseline},
	{0x58, 0b1100_1111, 0b1000_0000, h264Baseline},
	{0x4d, 0b1010_1111, 0b0000_0000, h264Main},
	{0x64, 0b1111_1111, 0b0000_0000, h264High},
	{0x64, 0b1111_1111, 0b0000_1100, h264ConstrainedHigh},
	{0xf4, 0b1111_1111, 0b0000_0000, h264PredictiveHigh444},
}

// parseH264ProfileLevel reads the six hexadecimal digits of a profile-level-id:
//
//	 profile_idc  profile_iop  level_idc
//	+-----------+-------------+---------+
//	|   4   2   |    e   0    |  1   f  |
//	+-----------+-------------+---------+
func parseH264ProfileLevel(s string) (h264ProfileLevel, bool) {
	const constraintSet3 = 0x10
	n, err := strconv.ParseUint(s, 16, 24)
	if err != nil || len(s) != 6 {
		return h264ProfileLevel{}, false
	}
	idc, iop, level := uint8(n>>16), uint8(n>>8), h264Level(n)
	if !level.valid() {
		return h264ProfileLevel{}, false
	}
	if level == h264Level11 && iop&constraintSet3 != 0 {
		level = h264Level1b
	}
	for _, p := range h264Profiles {
		if p.idc == idc && iop&p.mask == p.want {
			return h264ProfileLevel{p.profile, level}, true
		}
	}
	return h264ProfileLevel{}, false
}

func (l h264Level) valid() bool {
	switch l {
	case 10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52:
		return true
	}
	return false
}

// rank orders the levels: 1, 1b, 1.1, 1.2 and on. (mediasoup takes 1b for the
// highest if the other side names it, which would promise more than that side
// decodes; this does not.)
func (l h264Level) rank() int {
	if l == h264Level1b {
		return 2*int(h264Level1) + 1
	}
	return 2 * int(l)
}

// String returns the profile-level-id in its canonical form, or "" for level 1b
// of a profile that has none.
func (p h264ProfileLevel) String() string {
	if p.level == h264Level1b {
		switch p.profile {
		case h264ConstrainedBaseline:
			return "42f00b"
		case h264Baseline:
			return "42100b"
		case h264Main:
			return "4d100b"
		}
		return ""
	}
	idc := [...]string{
		h264ConstrainedBaseline: "42e0",
		h264Baseline:            "4200",
		h264Main:                "4d00",
		h264ConstrainedHigh:     "640c",
		h264High:                "6400",
		h264PredictiveHigh444:   "f400",
	}[p.profile]
	return idc + strconv.FormatUint(uint64(p.level)|0x100, 16)[1:]
}

// h264ProfileLevelOf reads the profile-level-id of format parameters. ok is
// false if it is there but wrong, which includes being a number.
func h264ProfileLevelOf(p CodecParameters) (pl h264ProfileLevel, ok bool) {
	v := p[profileLevelID]
	if empty(v) {
		return h264Default, true
	}
	s, _ := v.(string)
	return parseH264ProfileLevel(s)
}

const profileLevelID = "profile-level-id"

// sameH264Profile reports whether both parameters are valid and of one profile;
// levels may differ.
func sameH264Profile(a, b CodecParameters) bool {
	pa, okA := h264ProfileLevelOf(a)
	pb, okB := h264ProfileLevelOf(b)
	return okA && okB && pa.profile == pb.profile
}

// h264Answer returns the profile-level-id by which local answers to remote, both
// of the same profile: the level of local if both sides allow asymmetry, else
// the lower one (RFC 6184 §8.2.2). It is "" if neither side has named one.
func h264Answer(local, remote CodecParameters) string {
	if empty(local[profileLevelID]) && empty(remote[profileLevelID]) {
		return ""
	}
	answer, _ := h264ProfileLevelOf(local)
	other, _ := h264ProfileLevelOf(remote)
	symmetric := !allowsLevelAsymmetry(local) || !allowsLevelAsymmetry(remote)
	if symmetric && other.level.rank() < answer.level.rank() {
		answer.level = other.level
	}
	return answer.String()
}

func allowsLevelAsymmetry(p CodecParameters) bool {
	v := p["level-asymmetry-allowed"]
	n, ok := number(v)
	return ok && n == 1 || v == "1"
}
