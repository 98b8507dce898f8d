// The zone in which times are shown: that which the visitor has chosen, else the browser's.
const chosen = document.querySelector("main[data-zone-name]")?.dataset.zoneName;
export const zone = chosen || Intl.DateTimeFormat().resolvedOptions().timeZone;
// The server has done it already: it knows the chosen zone, and not the browser's.
export const isDone = Boolean(chosen);

export function formatter(locale, options) {
  try {
    return new Intl.DateTimeFormat(locale, { ...options, timeZone: zone });
  } catch {
    return new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" }); // a zone that this browser does not know
  }
}
