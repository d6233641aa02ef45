// Passkeys: signing in with one, and making one. <section data-passkey="sign-in | add | welcome" hidden> with a button.
const decode = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0)).buffer;
const encode = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function ask(address, body = {}) {
  const response = await fetch(address, {
    method: "POST", credentials: "same-origin", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", Accept: "application/json" },
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.title} ${answer.detail} ${answer.next_step}`);
  return answer;
}

async function make(options) {
  const made = await navigator.credentials.create({ publicKey: {
    ...options,
    challenge: decode(options.challenge),
    user: { ...options.user, id: decode(options.user.id) },
    excludeCredentials: (options.excludeCredentials || []).map((one) => ({ ...one, id: decode(one.id) })),
  } });
  return {
    id: made.id, rawId: encode(made.rawId), type: made.type, clientExtensionResults: made.getClientExtensionResults(),
    response: {
      clientDataJSON: encode(made.response.clientDataJSON), attestationObject: encode(made.response.attestationObject),
      transports: made.response.getTransports?.() || [],
    },
  };
}

async function prove(options) {
  const proof = await navigator.credentials.get({ publicKey: {
    ...options,
    challenge: decode(options.challenge),
    allowCredentials: (options.allowCredentials || []).map((one) => ({ ...one, id: decode(one.id) })),
  } });
  return {
    id: proof.id, rawId: encode(proof.rawId), type: proof.type, clientExtensionResults: proof.getClientExtensionResults(),
    response: {
      clientDataJSON: encode(proof.response.clientDataJSON), authenticatorData: encode(proof.response.authenticatorData),
      signature: encode(proof.response.signature),
      userHandle: proof.response.userHandle ? encode(proof.response.userHandle) : null,
    },
  };
}

const WAYS = {
  async "sign-in"() {
    const { nonce, options } = await ask("/api/v1/passkeys/options");
    await ask("/api/v1/passkeys/sign-in", { nonce, answer: await prove(options) });
  },
  async add(section) {
    const label = section.querySelector("[data-passkey-label]");
    if (!label.reportValidity()) return false;
    const options = await ask("/security/passkeys/options", { csrf: section.dataset.csrf });
    await ask("/security/passkeys", { csrf: section.dataset.csrf, label: label.value, answer: await make(options) });
    return true;
  },
  async welcome(section) {
    const account = document.getElementById("account");
    if (!account.reportValidity()) return false;
    const said = { csrf: section.dataset.csrf, account: account.value };
    await ask("/welcome/passkey", { ...said, answer: await make(await ask("/welcome/passkey/options", said)) });
    return true;
  },
};

function why(error) {
  if (error.name === "NotAllowedError") return "It was cancelled, or took too long. Press the button to try again.";
  if (error.name === "InvalidStateError") return "This device already holds a passkey for you here.";
  if (error.name === "SecurityError") return "Passkeys work only under the configured address of this site.";
  return error.message;
}

for (const section of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) continue; // password and code are there
  section.hidden = false;
  const button = section.querySelector("[data-passkey-button]");
  const said = section.querySelector("[data-passkey-said]");
  button.addEventListener("click", async () => {
    said.hidden = true;
    button.disabled = true;
    try {
      if ((await WAYS[section.dataset.passkey](section)) !== false) location.assign(section.dataset.next);
    } catch (error) {
      said.textContent = why(error);
      said.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
}
