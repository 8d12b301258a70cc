// What this page asks its server for.

export class Refused extends Error {}

export async function ask(path) {
  const answer = await fetch(path, { cache: 'no-store' });
  if (answer.status === 403) throw new Refused();
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).message ?? `the server answered ${answer.status}`);
  return answer;
}

export const askJson = async (path) => (await ask(path)).json();

export async function tell(path, body) {
  const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (answer.status === 403) throw new Refused();
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(found.message ?? `the server answered ${answer.status}`), { answered: true });
  return found;
}

// The values of a column as the server has them now.
export async function readColumn(column) {
  const answer = await ask(`/api/column/${column.index}`);
  column.labels = JSON.parse(answer.headers.get('x-labels') ?? '[]');
  return new Float32Array(await answer.arrayBuffer());
}
