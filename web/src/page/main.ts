/** The call page: which view is shown when. */
import type { EndReason } from "../call/call";
import { Devices } from "./devices";
import { initLanguage, show } from "./dom";
import { DoorError, exchange, invitationHere, voiceHere } from "./doors";
import { showEnded } from "./ended-view";
import { showJoin } from "./join-view";
import { choices, keptStay, type Kept } from "./memory";
import { RoomView } from "./room-view";
import { showStart } from "./start-view";
import { Stay } from "./stay";

function main(): void {
  initLanguage();
  const invitation = invitationHere();
  if (!invitation) {
    showStart();
    return;
  }
  const kept = keptStay(invitation);
  if (kept) comeBack(invitation, kept);
  else visit(invitation);
}

function visit(invitation: string): void {
  const devices = new Devices();
  const video = !voiceHere();
  if (!video) void devices.set("camera", false);
  showJoin({
    invitation,
    devices,
    video,
    join: async (name) => {
      try {
        enter(invitation, await exchange(invitation, name), devices);
      } catch (error) {
        devices.close();
        turnedAway(invitation, error);
      }
    },
  });
}

/** After a reload: straight back in, with the same admission while it holds. */
function comeBack(invitation: string, kept: Kept): void {
  const devices = new Devices();
  enter(invitation, kept, devices);
  void devices.start();
}

/** renewed: the admission has just been got in place of an invalid one. */
function enter(invitation: string, admission: Kept, devices: Devices, renewed = false): void {
  if (admission.callType === "audio") void devices.set("camera", false);
  const stay = new Stay(invitation, admission, devices);
  const view = new RoomView(stay);
  let kickReason = "";
  let renewable = !renewed;
  stay.call.on("state", (state) => (renewable ||= state === "live"));
  stay.call.on("kicked", ({ reason }) => (kickReason = reason));
  stay.call.on("ended", (reason) => {
    view.close();
    if (reason === "tokenInvalid" && renewable) {
      void admitAnew(invitation, devices);
      return;
    }
    devices.close();
    over(invitation, reason, kickReason);
  });
  show(view.element);
  stay.start();
}

/** The admission ran out, for instance because the server was restarted: the invitation gives another. */
async function admitAnew(invitation: string, devices: Devices): Promise<void> {
  try {
    enter(invitation, await exchange(invitation, choices().name ?? ""), devices, true);
  } catch (error) {
    devices.close();
    turnedAway(invitation, error);
  }
}

function over(invitation: string, reason: EndReason, detail: string): void {
  const final: EndReason[] = ["kicked", "tokenRevoked", "protocol"];
  showEnded({ ending: reason, detail, again: final.includes(reason) ? undefined : () => visit(invitation) });
}

function turnedAway(invitation: string, error: unknown): void {
  const again = () => visit(invitation);
  if (!(error instanceof DoorError)) showEnded({ ending: "crashed", detail: String(error) });
  else if (error.status === 404) showEnded({ ending: "invitation" });
  else if (error.code === "ROOM_FULL") showEnded({ ending: "roomFull", again });
  else if (error.status === 0) showEnded({ ending: "noServer", again });
  else showEnded({ ending: "refused", detail: error.message, again });
}

// What nobody expected is said too, rather than leaving a page that does nothing; a running call is left alone.
addEventListener("error", (event) => {
  if (event.error && !document.querySelector(".room")) showEnded({ ending: "crashed", detail: String(event.error) });
});

main();
