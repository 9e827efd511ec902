"use strict";

// Asks the browser for a passkey and posts its answer with the form that asked. Nothing here decides anything.
(function () {
  function bytes(text) {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  }

  function text(buffer) {
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function named(list) {
    return (list || []).map((one) => ({ ...one, id: bytes(one.id) }));
  }

  function asked(form) {
    const options = JSON.parse(form.dataset.options);
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    if (options.allowCredentials) options.allowCredentials = named(options.allowCredentials);
    if (options.excludeCredentials) options.excludeCredentials = named(options.excludeCredentials);
    return { publicKey: options };
  }

  function answer(credential) {
    const said = credential.response;
    const response = { clientDataJSON: text(said.clientDataJSON) };
    if (said.attestationObject) {
      response.attestationObject = text(said.attestationObject);
      response.transports = said.getTransports ? said.getTransports() : [];
    } else {
      response.authenticatorData = text(said.authenticatorData);
      response.signature = text(said.signature);
      if (said.userHandle) response.userHandle = text(said.userHandle);
    }
    return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response };
  }

  async function show(form, began) {
    const says = form.querySelector("[data-says]");
    if (performance.now() - began > 1000 * Number(form.dataset.lasts)) {
      says.textContent = says.dataset.old;
      window.location.reload();
      return;
    }
    try {
      const credential = await navigator.credentials[form.dataset.passkey](asked(form));
      form.elements.passkey.value = JSON.stringify(answer(credential));
      form.submit();
    } catch (refused) {
      says.textContent = says.dataset.refused;
      form.querySelector("button").disabled = false;
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    const began = performance.now();
    for (const form of document.querySelectorAll("form[data-passkey]")) {
      const button = form.querySelector("button");
      if (!window.PublicKeyCredential || !navigator.credentials) {
        const says = form.querySelector("[data-says]");
        says.textContent = says.dataset.missing;
        continue;
      }
      button.disabled = false;
      // The keyboard starts at the better way; a disabled button could not have taken autofocus.
      if (form.hasAttribute("data-focus")) button.focus();
      form.addEventListener("submit", function (event) {
        event.preventDefault();
        button.disabled = true;
        show(form, began);
      });
    }
  });
})();
