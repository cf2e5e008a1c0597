// One way to ask the daemon: JSON, the CSRF token of the session, and problems that the page can put into words.
import type { List } from './types';

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail = '',
    /** What is wrong in the body, and where: RFC 6901 behind "#/body". */
    readonly errors: { pointer: string; detail: string }[] = [],
  ) {
    super(detail || code);
  }

  /** Nobody has decided, or what stands between does not know: the request may be repeated with its key. */
  get isUndecided(): boolean {
    return [0, 502, 503, 504].includes(this.status);
  }
}

export interface Ask {
  method?: string;
  body?: unknown;
  /** Idempotency-Key: the same key again has no second effect. */
  key?: string;
  /** If-Match: refused where the version is another one. */
  version?: number;
}

// Not in the tab's own storage: the session's cookie is of the whole browser, and so is what goes with it.
let csrf = localStorage.getItem('csrf') ?? '';
let onEnded = (): void => {};

export const hasSession = (): boolean => csrf !== '';

export function keepSession(token: string): void {
  csrf = token;
  if (token) localStorage.setItem('csrf', token);
  else localStorage.removeItem('csrf');
}

// Another tab has signed in or out: the cookie is of the whole browser, so this page would go on in somebody else's name.
addEventListener('storage', (event) => {
  if (event.key === 'csrf' && hasSession() && (event.newValue ?? '') !== csrf) location.reload();
});

/** Called when the daemon does not know the session any more. */
export function whenSessionEnds(call: () => void): void {
  onEnded = call;
}

/** Not crypto.randomUUID(): that is missing where the page is served without TLS. */
export const newKey = (): string => Array.from(crypto.getRandomValues(new Uint32Array(4)), (one) => one.toString(36)).join('-');

async function answerOf<T>(path: string, init: RequestInit): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new Problem(0, 'offline');
  }
  if (answer.status === 204) return null as T;
  const data = await answer.json().catch(() => ({}));
  if (answer.ok) return data as T;
  if (answer.status === 401 && path !== '/v1/session') onEnded();
  throw new Problem(answer.status, data.code ?? '', data.detail ?? data.title ?? '', data.errors);
}

export function ask<T>(path: string, { method = 'GET', body, key, version }: Ask = {}): Promise<T> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf;
  if (key) headers['Idempotency-Key'] = key;
  if (version !== undefined) headers['If-Match'] = `"${version}"`;
  return answerOf<T>(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

/** Every page of the list at /v1/KIND. */
export async function allOf<T>(kind: string, order: 'asc' | 'desc' = 'asc'): Promise<T[]> {
  const all: T[] = [];
  let after: string | null = '';
  while (after !== null) {
    const page: List<T> = await ask<List<T>>(`/v1/${kind}?limit=200&order=${order}${after && `&after=${encodeURIComponent(after)}`}`);
    all.push(...page.data);
    after = page.next_cursor;
  }
  return all;
}

export const post = <T>(path: string, body: unknown = {}, key?: string): Promise<T> => ask<T>(path, { method: 'POST', body, key });

/** fetch tells no progress of what goes up, so this is an XMLHttpRequest. */
export function upload<T>(path: string, file: Blob, onProgress: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('X-CSRF-Token', csrf);
    request.upload.onprogress = (event) => onProgress(event.lengthComputable ? event.loaded / event.total : 0);
    request.onerror = () => reject(new Problem(0, 'offline'));
    request.onload = () => {
      let data: Record<string, string> = {};
      try {
        data = JSON.parse(request.responseText);
      } catch {
        // The status says enough.
      }
      if (request.status === 201) resolve(data as T);
      else reject(new Problem(request.status, data.code ?? '', data.detail ?? ''));
    };
    request.send(file);
  });
}
