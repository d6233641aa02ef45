// The page made live. Everything here is an addition: each page works without it.
import { startClocks } from "./js/clocks.js";
import { startDrafts } from "./js/drafts.js";
import { startDrop } from "./js/drop.js";
import { startForms } from "./js/forms.js";
import { startKeys } from "./js/keys.js";
import { startLive } from "./js/live.js";
import { startPalette } from "./js/palette.js";
import { startPanels } from "./js/panels.js";
import { startPresence } from "./js/presence.js";
import { startTheme } from "./js/theme.js";

startClocks();
startTheme();
startDrafts();
startForms();
startDrop();
startPanels();
startPresence();
startLive();
startPalette();
startKeys();
document.documentElement.dataset.ready = "true";
