/**
 * Everything the page says, in each of its languages. English is the measure: a language
 * in which one text is missing, or takes other arguments, does not compile.
 */

/** Who did what nobody in the call did. */
const operator = "Whoever runs this server";
const people = (n: number) => (n === 1 ? "1 person" : `${n} people`);

const en = {
  language: "Language",
  brand: {
    headline: "Calls on your own server",
    lead: "Make a room, pass on its link, and talk. Nothing to install, and no account.",
  },
  start: {
    title: "Start a call",
    name: "Your name",
    namePlaceholder: "How the others will see you",
    room: "Room",
    roomPlaceholder: "Leave empty for a new one",
    kind: "Kind of call",
    video: "Video",
    audio: "Voice only",
    make: "Make the room",
    making: "Making the room…",
    refused: "The server made no room:",
    keyNeeded: "This server makes rooms only for whoever has its API key. It is sent to this server and not kept.",
    key: "API key",
    keyWrong: "The server does not accept this API key.",
  },
  join: {
    title: "Join the call",
    ready: "You can look at yourself first. Nobody sees or hears you until you join.",
    join: "Join",
    joining: "Joining…",
    joinWithout: "Join without camera and microphone",
    cameraOff: "The camera is off",
    voice: "This is a voice call, without pictures",
    askingDevices: "Your browser asks whether this page may use camera and microphone.",
    link: "Link to this call",
  },
  devices: {
    title: "Devices",
    camera: "Camera",
    microphone: "Microphone",
    speaker: "Loudspeaker",
    both: "camera and microphone",
    standard: "Standard",
    level: "Microphone level",
    none: "None found",
    cameraNth: (n: number) => `Camera ${n}`,
    microphoneNth: (n: number) => `Microphone ${n}`,
    speakerNth: (n: number) => `Loudspeaker ${n}`,
    insecure:
      "Browsers give camera and microphone only to pages that came over https:// (or from this very machine). Whoever runs this server can start it with “takos-call serve --lan”. You can join and watch and listen.",
    refused: (what: string) =>
      `The browser was told not to give this page the ${what}. Allow it in the address bar and try again, or join without.`,
    missing: (what: string) => `No ${what} found. You can join without.`,
    busy: (what: string) => `The ${what} could not be started. Perhaps another program is using it.`,
    failed: (what: string) => `The ${what} could not be started.`,
    unplugged: (what: string) => `The ${what} was unplugged or taken away.`,
    again: "Try again",
  },
  room: {
    unnamed: "Call",
    people,
    alone: "Nobody else is here",
    aloneLead: "Pass this link on. Whoever opens it joins you.",
    you: "You",
    youSharing: "Your screen",
    screenOf: (name: string) => `${name}’s screen`,
    host: "Host",
    muted: "Microphone off",
    connecting: "Connecting…",
    failed: "Cannot be received here",
    stalled: "Connection trouble",
    mute: "Turn microphone off",
    unmute: "Turn microphone on",
    cameraOn: "Turn camera on",
    cameraOff: "Turn camera off",
    share: "Share screen",
    stopShare: "Stop sharing",
    figures: "Figures",
    spotlight: "Show who speaks large",
    settings: "Devices and language",
    copyLink: "Copy link",
    copied: "The link is copied.",
    copyByHand: "Copy this link:",
    leave: "Leave",
    close: "Close",
    cancel: "Cancel",
    more: (name: string) => `More about ${name}`,
    muteOther: "Turn their microphone off",
    cameraOther: "Turn their camera off",
    screenOther: "Stop their screen",
    kick: "Remove from the call",
    kickQuestion: (name: string) => `Remove ${name} from the call?`,
    controls: "Call controls",
    participants: "People in the call",
    hear: "Click to hear the others",
  },
  notice: {
    joined: (name: string) => `${name} joined.`,
    left: (name: string) => `${name} left.`,
    mutedBy: (name: string) => `${name || operator} turned your microphone off. You can turn it on again.`,
    cameraOffBy: (name: string) => `${name || operator} turned your camera off. You can turn it on again.`,
    screenOffBy: (name: string) => `${name || operator} stopped your screen.`,
    closing: (seconds: number) => `The server is about to stop; the call can go on for ${seconds} more seconds.`,
    cannotSend: (what: string) => `Your ${what} could not be sent.`,
    shareFailed: "The screen could not be shared.",
  },
  trouble: {
    connecting: "Connecting to the server…",
    server: "The connection to the server is lost. Trying again; the call may go on meanwhile.",
    offline: "This device is offline. The call comes back with the network.",
    send: "The others may not see and hear you at the moment. Mending the connection…",
    recv: "You may not see and hear the others at the moment. Mending the connection…",
    both: "The connection for sound and picture is broken. Mending it…",
    blocked:
      "No sound or picture comes through. Perhaps a firewall between you and the server blocks them; the people who run it can run “takos-call doctor”.",
  },
  sources: { mic: "microphone", camera: "camera", screen: "screen", "screen-audio": "screen’s sound" },
  figures: {
    title: "Live figures",
    lead: "Measured by your browser, over two seconds.",
    roundTrip: "Round trip",
    uplink: "Can send up to",
    you: "You send",
    from: (name: string) => `From ${name}`,
    bitrate: "Rate",
    loss: "Loss",
    codec: "Codec",
    picture: "Picture",
    layer: (size: number, sizes: number, rate: number, rates: number) => `size ${size} of ${sizes} · rate ${rate} of ${rates}`,
    spared: (sent: number, sizes: number) => `${sent} of ${sizes} sizes sent, since nobody shows more`,
    notSent: "not sent, since nobody watches",
    none: "Nothing is measured yet.",
  },
  ended: {
    left: ["You left the call", "You can come back as long as the link is valid."],
    hungUp: ["The call is over", "The other side hung up."],
    replaced: ["You are in this call somewhere else", "The call went on in another tab or on another device, and ended here."],
    kicked: ["You were removed from the call", "The host, or whoever runs this server, took you out."],
    roomClosed: ["The room was closed", "Whoever runs this server, or the application behind it, closed the room."],
    tokenRevoked: ["Your admission was withdrawn", "Ask for a new link if you want to come back."],
    tokenInvalid: ["Your admission is no longer valid", "Try to join again, or ask for a new link."],
    roomFull: ["The room is full", "Try again when somebody has left."],
    serverLost: ["The server cannot be reached", "It has been tried for a while. Check your network, and try again."],
    protocol: ["The call had to end", "The server and this page did not understand each other. Reload the page."],
    invitation: ["This invitation is not valid any more", "It may have expired or been withdrawn. Ask for a new link."],
    noServer: ["The server does not answer", "Check your network, and try again."],
    refused: ["The server would not let you in", "Try again in a moment."],
    crashed: ["This page met an error", "Reload the page. If it happens again, whoever runs this server will want to know what you did."],
    again: "Join again",
    retry: "Try again",
    home: "To the start page",
    reload: "Reload the page",
  } satisfies Record<string, string | [title: string, lead: string]>,
};

type Same<T> = T extends string
  ? string
  : T extends (...args: infer A) => string
    ? (...args: A) => string
    : T extends string[]
      ? [title: string, lead: string]
      : { readonly [K in keyof T]: Same<T[K]> };

export type Texts = Same<typeof en>;

const doer = (name: string) => (name ? `${name} さん` : "サーバーの管理者");

const ja: Texts = {
  language: "言語",
  brand: {
    headline: "自分のサーバーで通話",
    lead: "ルームを作り、リンクを渡して、話すだけ。インストールもアカウントも要りません。",
  },
  start: {
    title: "通話をはじめる",
    name: "お名前",
    namePlaceholder: "相手に表示される名前",
    room: "ルーム",
    roomPlaceholder: "空欄なら新しく作ります",
    kind: "通話の種類",
    video: "ビデオ",
    audio: "音声のみ",
    make: "ルームを作る",
    making: "ルームを作っています…",
    refused: "ルームを作れませんでした：",
    keyNeeded: "このサーバーでは、API キーを持つ人だけがルームを作れます。キーはこのサーバーに送られるだけで、保存されません。",
    key: "API キー",
    keyWrong: "この API キーは受け付けられませんでした。",
  },
  join: {
    title: "通話に参加する",
    ready: "まず自分の映りを確かめられます。参加するまで、誰にも見えず聞こえません。",
    join: "参加する",
    joining: "参加しています…",
    joinWithout: "カメラとマイクなしで参加する",
    cameraOff: "カメラはオフです",
    voice: "映像のない音声通話です",
    askingDevices: "カメラとマイクを使ってよいか、ブラウザーが尋ねています。",
    link: "この通話のリンク",
  },
  devices: {
    title: "デバイス",
    camera: "カメラ",
    microphone: "マイク",
    speaker: "スピーカー",
    both: "カメラとマイク",
    standard: "標準",
    level: "マイクの音量",
    none: "見つかりません",
    cameraNth: (n) => `カメラ ${n}`,
    microphoneNth: (n) => `マイク ${n}`,
    speakerNth: (n) => `スピーカー ${n}`,
    insecure:
      "カメラとマイクは、https:// で開いたページ（またはこの端末自身のページ）でしか使えません。サーバーの管理者は「takos-call serve --lan」で起動できます。参加して見聞きすることはできます。",
    refused: (what) =>
      `${what}の使用が許可されていません。アドレスバーで許可してやり直すか、なしで参加してください。`,
    missing: (what) => `${what}が見つかりません。なしでも参加できます。`,
    busy: (what) => `${what}を使えませんでした。ほかのアプリが使用中かもしれません。`,
    failed: (what) => `${what}を使えませんでした。`,
    unplugged: (what) => `${what}が取り外されました。`,
    again: "やり直す",
  },
  room: {
    unnamed: "通話",
    people: (n) => `${n} 人`,
    alone: "ほかに誰もいません",
    aloneLead: "このリンクを渡してください。開いた人が参加します。",
    you: "自分",
    youSharing: "自分の画面",
    screenOf: (name) => `${name} さんの画面`,
    host: "ホスト",
    muted: "マイクはオフ",
    connecting: "接続中…",
    failed: "ここでは受信できません",
    stalled: "通信が不安定です",
    mute: "マイクをオフにする",
    unmute: "マイクをオンにする",
    cameraOn: "カメラをオンにする",
    cameraOff: "カメラをオフにする",
    share: "画面を共有する",
    stopShare: "共有をやめる",
    figures: "通信の状態",
    spotlight: "話している人を大きく表示",
    settings: "デバイスと言語",
    copyLink: "リンクをコピー",
    copied: "リンクをコピーしました。",
    copyByHand: "このリンクをコピーしてください：",
    leave: "退出する",
    close: "閉じる",
    cancel: "やめる",
    more: (name) => `${name} さんについて`,
    muteOther: "マイクをオフにする",
    cameraOther: "カメラをオフにする",
    screenOther: "画面の共有を止める",
    kick: "通話から外す",
    kickQuestion: (name) => `${name} さんを通話から外しますか？`,
    controls: "通話の操作",
    participants: "参加者",
    hear: "クリックすると相手の声が聞こえます",
  },
  notice: {
    joined: (name) => `${name} さんが参加しました。`,
    left: (name) => `${name} さんが退出しました。`,
    mutedBy: (name) => `${doer(name)}があなたのマイクをオフにしました。またオンにできます。`,
    cameraOffBy: (name) => `${doer(name)}があなたのカメラをオフにしました。またオンにできます。`,
    screenOffBy: (name) => `${doer(name)}があなたの画面の共有を止めました。`,
    closing: (seconds) => `サーバーがまもなく停止します。通話はあと ${seconds} 秒続けられます。`,
    cannotSend: (what) => `${what}を送れませんでした。`,
    shareFailed: "画面を共有できませんでした。",
  },
  trouble: {
    connecting: "サーバーに接続しています…",
    server: "サーバーとの接続が切れました。つなぎ直しています。その間も通話が続くことがあります。",
    offline: "この端末はオフラインです。ネットワークが戻ると通話も戻ります。",
    send: "いま、あなたの映像と音声が相手に届いていないかもしれません。つなぎ直しています…",
    recv: "いま、相手の映像と音声が届いていないかもしれません。つなぎ直しています…",
    both: "映像と音声の接続が切れました。つなぎ直しています…",
    blocked:
      "映像も音声も通りません。途中のファイアウォールが止めているのかもしれません。サーバーの管理者は「takos-call doctor」で調べられます。",
  },
  sources: { mic: "マイク", camera: "カメラ", screen: "画面", "screen-audio": "画面の音" },
  figures: {
    title: "通信の状態",
    lead: "ブラウザーが 2 秒ごとに測った値です。",
    roundTrip: "往復時間",
    uplink: "送信できる速度",
    you: "送信",
    from: (name) => `${name} さんから`,
    bitrate: "速度",
    loss: "損失",
    codec: "コーデック",
    picture: "映像",
    layer: (size, sizes, rate, rates) => `サイズ ${size}/${sizes} · レート ${rate}/${rates}`,
    spared: (sent, sizes) => `${sizes} サイズ中 ${sent} サイズを送信（より大きく表示している人がいないため）`,
    notSent: "送信していません（見ている人がいないため）",
    none: "まだ測定値がありません。",
  },
  ended: {
    left: ["通話から退出しました", "リンクが有効なあいだは、また参加できます。"],
    hungUp: ["通話が終わりました", "相手が通話を切りました。"],
    replaced: ["別の場所でこの通話に参加しています", "通話は別のタブまたは端末に移り、ここでは終わりました。"],
    kicked: ["通話から外されました", "ホストまたはサーバーの管理者が、あなたを外しました。"],
    roomClosed: ["ルームが閉じられました", "サーバーの管理者かアプリケーションがルームを閉じました。"],
    tokenRevoked: ["参加の許可が取り消されました", "また参加するには、新しいリンクをもらってください。"],
    tokenInvalid: ["参加の許可が無効になりました", "もう一度参加するか、新しいリンクをもらってください。"],
    roomFull: ["ルームは満員です", "誰かが退出したら、もう一度お試しください。"],
    serverLost: ["サーバーにつながりません", "しばらく試しましたがつながりませんでした。ネットワークを確かめて、もう一度お試しください。"],
    protocol: ["通話を続けられませんでした", "サーバーとこのページのやりとりが食い違いました。ページを読み込み直してください。"],
    invitation: ["この招待は無効です", "期限が切れたか、取り消されました。新しいリンクをもらってください。"],
    noServer: ["サーバーが応答しません", "ネットワークを確かめて、もう一度お試しください。"],
    refused: ["参加できませんでした", "少し待ってから、もう一度お試しください。"],
    crashed: ["このページでエラーが起きました", "ページを読み込み直してください。また起きるときは、何をしたかをサーバーの管理者に伝えてください。"],
    again: "もう一度参加する",
    retry: "やり直す",
    home: "最初のページへ",
    reload: "読み込み直す",
  },
};

export const languages = { en: "English", ja: "日本語" } as const;
export type Language = keyof typeof languages;

const tables: Record<Language, Texts> = { en, ja };

export function isLanguage(value: unknown): value is Language {
  return typeof value === "string" && value in tables;
}

/** The first of the wanted languages (as in navigator.languages) that there is. */
export function chooseLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split("-")[0];
    if (isLanguage(language)) return language;
  }
  return "en";
}

export function textsOf(language: Language): Texts {
  return tables[language];
}
