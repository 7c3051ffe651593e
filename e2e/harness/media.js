// Runs in the page: pictures and tones that can be told apart after coding, and reading them again.
// Given as an init script; installs window.media.
(() => {
  const COLUMNS = 8;
  const ROWS = 4;
  const SIZE = { width: 640, height: 360 };
  const FRAMES_PER_SECOND = 12;

  /** 32 cells, light or dark: 8 bits of id, 16 of a frame counter, 8 of a check sum. */
  const bitsOf = (id, counter) => {
    const check = (id * 7 + (counter & 255) * 13 + (counter >> 8) * 29 + 90) & 255;
    return (id * 2 ** 24 + (counter << 8) + check) >>> 0;
  };

  const paint = (context, id, counter) => {
    const bits = bitsOf(id, counter);
    const [width, height] = [context.canvas.width / COLUMNS, context.canvas.height / ROWS];
    for (let cell = 0; cell < COLUMNS * ROWS; cell++) {
      context.fillStyle = (bits >>> (31 - cell)) & 1 ? "#fff" : "#000";
      context.fillRect((cell % COLUMNS) * width, Math.floor(cell / COLUMNS) * height, width, height);
    }
  };

  /** What a camera sees in the dark: the same everywhere and always new, so that a frame takes several packets. */
  const grain = (size) => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: size.width + 64, height: size.height + 64 });
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(canvas.width, canvas.height);
    // Coarse, since what is fine is coded away.
    for (let y = 0; y < canvas.height; y += 8) {
      for (let x = 0; x < canvas.width; x += 8) {
        const light = Math.random() * 255;
        for (let at = 0; at < 64; at++) {
          const [row, column] = [y + (at >> 3), x + (at & 7)];
          if (row < canvas.height && column < canvas.width) pixels.data.set([light, light, light, 50], 4 * (row * canvas.width + column));
        }
      }
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  };

  /** A picture that shows id and counts its frames. With busy, its frames take several packets. */
  const picture = (id, { framesPerSecond = FRAMES_PER_SECOND, busy = false, size = SIZE } = {}) => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, size);
    const context = canvas.getContext("2d");
    const noise = busy ? grain(size) : null;
    let counter = 0;
    const draw = () => {
      if (!media.frozen) counter = (counter + 1) & 0xffff;
      paint(context, id, counter);
      if (noise) context.drawImage(noise, -Math.floor(Math.random() * 64), -Math.floor(Math.random() * 64));
    };
    draw();
    const [track] = canvas.captureStream(framesPerSecond).getVideoTracks();
    const timer = setInterval(() => (track.readyState === "live" ? draw() : clearInterval(timer)), 1000 / framesPerSecond);
    return track;
  };

  let context;
  const audio = () => (context ??= new AudioContext());

  const gains = [];

  /** A tone of that frequency, in hertz. */
  const tone = (frequency) => {
    const oscillator = new OscillatorNode(audio(), { frequency });
    const gain = new GainNode(audio(), { gain: 0.4 });
    gains.push(gain);
    const out = audio().createMediaStreamDestination();
    oscillator.connect(gain).connect(out);
    oscillator.start();
    return out.stream.getAudioTracks()[0];
  };

  const scratch = document.createElement("canvas");
  Object.assign(scratch, { width: COLUMNS * 10, height: ROWS * 10 });

  /** What the decoded picture of a video element shows, or null if nothing can be read. */
  const read = (video) => {
    if (!video || video.videoWidth < 16) return null;
    const context = scratch.getContext("2d", { willReadFrequently: true });
    context.drawImage(video, 0, 0, scratch.width, scratch.height);
    const { data } = context.getImageData(0, 0, scratch.width, scratch.height);
    let bits = 0;
    for (let cell = 0; cell < COLUMNS * ROWS; cell++) {
      let sum = 0;
      // The middle of the cell: its edges are blurred by coding.
      for (let y = 3; y < 7; y++) {
        for (let x = 3; x < 7; x++) sum += data[4 * ((Math.floor(cell / COLUMNS) * 10 + y) * scratch.width + (cell % COLUMNS) * 10 + x) + 1];
      }
      bits = bits * 2 + (sum / 16 > 127 ? 1 : 0);
    }
    const id = Math.floor(bits / 2 ** 24);
    const counter = (bits >>> 8) & 0xffff;
    return bitsOf(id, counter) === bits ? { id, counter, width: video.videoWidth, height: video.videoHeight } : null;
  };

  /**
   * Watches the picture of a video element: how many different frames are seen from now on, the longest
   * that one stood still, and when its width became what. Ask what it returns for that.
   */
  const watch = (video) => {
    const began = performance.now();
    const seen = { frames: 0, unread: 0, longestMs: 0, widths: [] };
    let counter;
    let since = began;
    const look = () => {
      const now = performance.now();
      const shown = read(video);
      if (seen.widths.at(-1)?.width !== video.videoWidth) seen.widths.push({ ms: now - began, width: video.videoWidth });
      if (!shown) seen.unread++;
      else if (shown.counter !== counter) {
        if (counter !== undefined) seen.frames++;
        seen.longestMs = Math.max(seen.longestMs, now - since);
        [counter, since] = [shown.counter, now];
      }
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    return () => ({ ...seen, longestMs: Math.max(seen.longestMs, performance.now() - since) });
  };

  const analysers = new WeakMap();

  /** The loudest frequency in a track, or 0 for silence. */
  const hear = (track) => {
    if (!track) return 0;
    let analyser = analysers.get(track);
    if (!analyser) {
      analyser = new AnalyserNode(audio(), { fftSize: 8192, smoothingTimeConstant: 0.2, minDecibels: -100 });
      audio().createMediaStreamSource(new MediaStream([track])).connect(analyser);
      analysers.set(track, analyser);
    }
    const spectrum = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(spectrum);
    let loudest = 8;
    for (let bin = 8; bin < spectrum.length; bin++) if (spectrum[bin] > spectrum[loudest]) loudest = bin;
    return spectrum[loudest] < -55 ? 0 : Math.round((loudest * audio().sampleRate) / analyser.fftSize);
  };

  const media = {
    frozen: false,
    /** The kinds of devices that the page has asked for. */
    asked: [],
    picture,
    tone,
    read,
    watch,
    hear,
    /** Makes all tones so loud; they begin at 0.4. */
    loudness: (gain) => gains.forEach((each) => (each.gain.value = gain)),
  };
  window.media = media;

  /** Devices of a person: their picture and tone in place of camera and microphone. */
  media.be = ({ id, frequency }) => {
    if (!navigator.mediaDevices) return;
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      media.asked.push(...["audio", "video"].filter((kind) => wanted[kind]));
      return new MediaStream([...(wanted.audio ? [tone(frequency)] : []), ...(wanted.video ? [picture(id)] : [])]);
    };
    navigator.mediaDevices.getDisplayMedia = async () => new MediaStream([picture(id + 100)]);
  };
})();
