/** The nonce that this page's policy allows styles with; the server writes it into every copy of the page. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";

// The library that keeps the page behind a dialog from scrolling looks for the nonce under this name.
Object.assign(globalThis, { __webpack_nonce__: nonce });
