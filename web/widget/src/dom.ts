// Text goes in as text only: nothing that anybody wrote is ever read as HTML.
export function make<K extends keyof HTMLElementTagNameMap>(name: K, text = '', fields: Record<string, string> = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [field, value] of Object.entries(fields)) element.setAttribute(field, value);
  return element;
}
