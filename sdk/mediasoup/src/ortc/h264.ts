/** H264 profile-level-ids (RFC 6184 §8). */

type Profile = "constrained-baseline" | "baseline" | "main" | "constrained-high" | "high" | "predictive-high-444";

interface ProfileLevel {
  profile: Profile;
  /** level_idc, ten times the level; LEVEL_1B for 1b, which shares 11 with level 1.1. */
  level: number;
}

type Parameters = Record<string, unknown>;

const LEVEL_1B = 0;
const LEVELS = new Set([10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52]);

/** What browsers mean by saying nothing; RFC 6184 §8.1 says Baseline level 1. */
const BY_DEFAULT: ProfileLevel = { profile: "constrained-baseline", level: 31 };

/** Profiles by profile_idc and the flags of profile_iop that matter: those in mask have to equal want (RFC 6184 §8.1 Table 5). */
const PROFILES: { idc: number; mask: number; want: number; profile: Profile }[] = [
  { idc: 0x42, mask: 0x4f, want: 0x40, profile: "constrained-baseline" },
  { idc: 0x4d, mask: 0x8f, want: 0x80, profile: "constrained-baseline" },
  { idc: 0x58, mask: 0xcf, want: 0xc0, profile: "constrained-baseline" },
  { idc: 0x42, mask: 0x4f, want: 0x00, profile: "baseline" },
  { idc: 0x58, mask: 0xcf, want: 0x80, profile: "baseline" },
  { idc: 0x4d, mask: 0xaf, want: 0x00, profile: "main" },
  { idc: 0x64, mask: 0xff, want: 0x00, profile: "high" },
  { idc: 0x64, mask: 0xff, want: 0x0c, profile: "constrained-high" },
  { idc: 0xf4, mask: 0xff, want: 0x00, profile: "predictive-high-444" },
];

const PREFIXES: Record<Profile, string> = {
  "constrained-baseline": "42e0",
  baseline: "4200",
  main: "4d00",
  "constrained-high": "640c",
  high: "6400",
  "predictive-high-444": "f400",
};

/** Level 1b has an id of its own, in the profiles that have one. */
const LEVEL_1B_IDS: Partial<Record<Profile, string>> = {
  "constrained-baseline": "42f00b",
  baseline: "42100b",
  main: "4d100b",
};

function parse(id: string): ProfileLevel | undefined {
  if (!/^[0-9a-f]{6}$/i.test(id)) return undefined;
  const [idc, iop, level] = [id.slice(0, 2), id.slice(2, 4), id.slice(4)].map((hex) => parseInt(hex, 16)) as [number, number, number];
  const row = PROFILES.find((p) => p.idc === idc && (iop & p.mask) === p.want);
  if (!row || !LEVELS.has(level)) return undefined;
  const constraintSet3 = (iop & 0x10) !== 0;
  return { profile: row.profile, level: level === 11 && constraintSet3 ? LEVEL_1B : level };
}

/** The profile and level of format parameters, or undefined if they name one that is wrong. */
function profileLevelOf(parameters: Parameters): ProfileLevel | undefined {
  const id = parameters["profile-level-id"];
  if (!id) return BY_DEFAULT;
  return typeof id === "string" ? parse(id) : undefined;
}

/** Both are right and of one profile; their levels may differ. */
export function isSameH264Profile(a: Parameters, b: Parameters): boolean {
  const [left, right] = [profileLevelOf(a), profileLevelOf(b)];
  return left !== undefined && right !== undefined && left.profile === right.profile;
}

/**
 * The profile-level-id by which local answers to remote, both of one profile: the level of local if both sides
 * allow asymmetry, else the lower one (RFC 6184 §8.2.2). It is undefined if neither side has named one.
 */
export function h264Answer(local: Parameters, remote: Parameters): string | undefined {
  if (!local["profile-level-id"] && !remote["profile-level-id"]) return undefined;
  const own = profileLevelOf(local) ?? BY_DEFAULT;
  const other = profileLevelOf(remote) ?? BY_DEFAULT;
  const symmetric = !allowsAsymmetry(local) || !allowsAsymmetry(remote);
  const level = symmetric && rank(other.level) < rank(own.level) ? other.level : own.level;
  if (level === LEVEL_1B) return LEVEL_1B_IDS[own.profile];
  return PREFIXES[own.profile] + level.toString(16).padStart(2, "0");
}

/** The order of levels: 1, 1b, 1.1, 1.2 and on. */
function rank(level: number): number {
  return level === LEVEL_1B ? 10.5 : level;
}

function allowsAsymmetry(parameters: Parameters): boolean {
  const value = parameters["level-asymmetry-allowed"];
  return value === 1 || value === "1";
}
