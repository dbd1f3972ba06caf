// The page: draws what the stream /page/events says. Text from outside is only ever set as text, never as markup.
'use strict';
const $ = id => document.getElementById(id);
const items = new Map(), rows = new Map(), opened = new Map(), takeovers = [];
let token = '', skew = 0, heard = 0, lostAt = 0, tries = 0, abort = null, drawing = false, running = false;

function el(tag, attrs, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs || {})) if (v !== undefined && v !== false) e.setAttribute(k, v);
  e.append(...children.filter(c => c !== undefined && c !== null && c !== ''));
  return e;
}
function set(e, text, cls) {
  if (e.textContent !== text) e.textContent = text;
  if (cls !== undefined && e.className !== cls) e.className = cls;
}
const now = () => Date.now() + skew;
function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000)), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
  return d ? `${d}d${h % 24}h` : h ? `${h}h${m % 60}m` : m ? `${m}m${s % 60}s` : `${s}s`;
}
const clock = t => new Date(t).toLocaleString([], {dateStyle: 'short', timeStyle: 'medium'});
function when(at, form) {
  const e = el('time', {datetime: at, title: at});
  e.dataset.form = form || 'ago';
  age(e);
  return e;
}
function age(e) {
  const d = now() - Date.parse(e.dateTime);
  set(e, e.dataset.form === 'span' ? span(d) : d < 0 ? `in ${span(-d)}` : `${span(d)} ago`);
}
const percent = v => `${(100 * v).toPrecision(2).replace(/\.0$/, '')} %`;
const ratio = ([x, n]) => `${x} of ${n}${n ? ` (${percent(x / n)})` : ''}`;
const plural = (n, one, many) => `${n} ${n === 1 ? one : many || one + 's'}`;
const version = image => (image || '').replace(/^.*\//, '').replace(/@sha256:([0-9a-f]{8}).*/, '@$1');

function table(caption, heads, body) {
  // roles: a narrow screen lays the cells out one below the other, and they are still a table to a screen reader
  return el('table', {role: 'table'}, el('caption', {}, caption),
    el('thead', {role: 'rowgroup'}, el('tr', {role: 'row'}, ...heads.map(h => el('th', {role: 'columnheader', scope: 'col', class: h[0] === '#' && 'num'}, h.replace('#', ''))))),
    el('tbody', {role: 'rowgroup'}, ...body.map(r => el('tr', {role: 'row'}, ...r.map((c, i) => el(i ? 'td' : 'th',
      {role: i ? 'cell' : 'rowheader', scope: !i && 'row', class: heads[i][0] === '#' && 'num', 'data-head': i > 0 && heads[i].replace('#', '')}, c))))));
}
const facts = list => el('dl', {}, ...list.filter(f => f).flatMap(([k, ...v]) => [el('dt', {}, k), el('dd', {}, ...v)]));

// A part is made again only if what it shows has changed, so that focus and scroll positions stay.
function part(at, name, data, make) {
  const text = JSON.stringify(data), old = at.querySelector(`:scope > [data-part="${name}"]`);
  if (old && old.dataset.from === text) return;
  const e = el('div');
  e.dataset.part = name;
  e.dataset.from = text;
  if (data !== undefined && data !== null) e.append(...[make(data)].flat().filter(c => c));
  if (old) old.replaceWith(e); else at.append(e);
}

// ---- evidence ----
function svg(tag, attrs, text) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, v);
  if (text) e.textContent = text;
  return e;
}
function chart(points, wide) {
  const W = Math.max(260, wide), H = 170, L = 44, R = 10, T = 12, B = 24;
  const t0 = points[0][0], t1 = Math.max(points.at(-1)[0], t0 + 1);
  const top = Math.max(1.15, ...points.map(p => Math.max(p[1], p[2]) / 1000)) * 1.02;
  const x = t => L + (W - L - R) * (t - t0) / (t1 - t0), y = v => H - B - (H - B - T) * v / top;
  const last = points.at(-1);
  const g = svg('svg', {viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label':
    `Evidence over ${span((t1 - t0) * 1000)}: against the canary ${Math.round(last[1] / 10)} % of the limit for a rollback, for it ${Math.round(last[2] / 10)} % of what a pass needs.`});
  for (const v of [0, .5, 1]) {
    g.append(svg('line', {class: v === 1 ? 'limit' : 'axis', x1: L, x2: W - R, y1: y(v), y2: y(v)}),
      svg('text', {x: L - 6, y: y(v) + 4, 'text-anchor': 'end'}, `${100 * v} %`));
  }
  g.append(svg('text', {x: L, y: H - 6}, new Date(t0 * 1000).toLocaleTimeString()),
    svg('text', {x: W - R, y: H - 6, 'text-anchor': 'end'}, new Date(t1 * 1000).toLocaleTimeString()));
  [['fail', 1], ['pass', 2]].forEach(([cls, i]) => {
    g.append(svg('polyline', {class: cls, points: points.map(p => `${x(p[0]).toFixed(1)},${y(p[i] / 1000).toFixed(1)}`).join(' ')}),
      svg('circle', {class: cls, r: 3, cx: x(last[0]).toFixed(1), cy: y(last[i] / 1000).toFixed(1)}));
  });
  return g;
}
function evidence(t, wide) {
  if (!t.verdict) return el('p', {class: 'dim'}, 'No evidence yet.');
  const out = [el('h4', {}, 'Evidence'), el('p', {}, el('b', {}, `${t.verdict}: `), t.why || ''), el('p', {}, t.words || '')];
  if (t.points && t.points.length) {
    out.push(chart(t.points, wide), el('p', {class: 'dim'},
      el('span', {class: 'bad'}, '\u2014 against the canary'), ', of the limit for a rollback; ',
      el('span', {class: 'good'}, '- - for it'), ', of what a pass needs. ', 'Dotted: the limits.'));
  } else out.push(el('p', {class: 'dim'}, 'How it came to be is not known: this process leads since a moment ago, or has made no round of scrapes yet.'));
  const many = (t.controllers || []).map(c => [c.name, ratio(c.canary), ratio(c.stable), c.odds || '']);
  out.push(table(`Errors of reconciles; tolerated are ${percent(t.tolerated)}`, ['controller', '#canary', '#stable', ...(many.length ? ['odds that it is bad'] : [])],
    [['all', ratio(t.canary) + (t.upper ? `, at most ${percent(t.upper)}` : ''), ratio(t.stable), ...(many.length ? [''] : [])], ...many]));
  return out;
}
const signalWords = {off: ['off', 'dim'], absent: ['no metrics', 'dim'], quiet: ['quiet', 'good'], doubt: ['in doubt', 'warn'], speaks: ['speaks against it', 'bad']};
const signals = list => [el('h4', {}, 'Signals'), table('Beside errors', ['Signal', 'says', 'would', 'figures'],
  list.map(s => [s.name, el('span', {class: signalWords[s.state][1]}, signalWords[s.state][0]), s.does || '', s.words || '']))];
function rehearsal(x, target) {
  const kinds = Object.keys({...x.counts, ...x.limits}), found = k => x.counts ? String(x.counts[k] || 0) : '', over = k => x.counts && (x.counts[k] || 0) > x.limits[k];
  return [el('h4', {}, 'Rehearsal'),
    el('p', {}, x.line ? (x.over ? '' : 'So far: ') + x.line : (x.from ? 'It goes on, and writes nothing.' : 'Its pods are starting.'), x.alone ? ' Without the version in service beside it.' : ''),
    !x.over && x.until && facts([['Ends', when(x.until)]]),
    kinds.length && table('What follows from it', ['Kind', '#found', '#allowed'], kinds.map(k => [k, over(k) ? el('span', {class: 'warn'}, found(k)) : found(k), k in x.limits ? String(x.limits[k]) : 'any'])),
    x.digest && el('p', {class: 'dim'}, `Report ${x.digest}${x.approved ? ', approved' : ''}:`),
    x.over && el('pre', {}, `handover diff ${target}`)];
}
function progress(t) {
  const out = [`step ${t.step} of ${t.steps}, ${t.percent} %`];
  if (t.turn) out.push(`the canary leads by turns (${t.turn}, ${plural(t.trials, 'trial')}, led for ${span(1000 * t.ledSeconds)} of ${span(1000 * t.soakSeconds)})`);
  if (t.objects) out.push(`${t.objectsCanary} of ${t.objectsTotal} ${t.objects} are the canary's`);
  return out.join('; ');
}
const past = list => list.length ? table('Newest first', ['Result', 'version', 'ended', '#errors', 'reason'],
  list.map(h => [h.result, version(h.image), h.endedAt ? when(h.endedAt) : '', ratio(h.canary), h.reason || ''])) : el('p', {class: 'dim'}, 'No rollout has ended yet.');

// ---- targets ----
const groups = [['Needs a look', 3], ['On trial', 4], ['Waiting', 5], ['In service', 6]];
const colour = r => r.rank <= 1 ? 'warn' : r.rank <= 3 ? 'bad' : r.rank === 4 ? 'busy' : r.rank === 5 ? 'dim' : 'good';
const mark = r => r.rank <= 3 ? '\u25B2 ' : r.rank === 4 ? '\u25CF ' : r.rank === 5 ? '\u25CB ' : '\u2713 ';
function row(key, r, nth) {
  let w = rows.get(key);
  if (!w) {
    w = {li: el('li'), d: el('details'), name: el('span', {class: 'name'}), state: el('span'), version: el('span', {class: 'version'}), age: el('span', {class: 'age'}), body: el('div', {class: 'body'})};
    w.d.append(el('summary', {}, w.name, w.state, w.version, w.age), w.body);
    w.li.append(w.d);
    w.d.addEventListener('toggle', () => { if (w.d.open !== !!w.auto) opened.set(key, w.d.open); fill(w); });
    w.name.append(el('b'), el('span', {class: 'dim'}));
    rows.set(key, w);
  }
  w.r = r;
  set(w.name.firstChild, r.name);
  set(w.name.lastChild, ` ${r.namespace}`);
  set(w.state, mark(r) + r.phase + (r.hold ? `: ${r.hold}` : ''), `state ${colour(r)}`);
  const image = version(r.image);
  set(w.version, (image.startsWith(`${r.name}:`) ? image.slice(r.name.length + 1) : image) + (r.replicas !== undefined ? `, ${r.ready} of ${r.replicas} ready` : ''));
  part(w.age, 'since', r.since, at => when(at, 'span'));
  if (!opened.has(key) && !w.auto && r.rank <= 4 && nth < 3) w.auto = w.d.open = true; // opens by itself, and never closes
  fill(w);
  return w.li;
}
const ref = r => `${r.name.includes('/') ? '' : 'deployment/'}${r.name} -n ${r.namespace}`;
function fill(w) {
  if (!w.d.open) return;
  const r = w.r, t = r.trial, wide = w.body.clientWidth ? w.body.clientWidth - 56 : 600;
  part(w.body, 'say', [r.message, r.hold, r.holdSince, r.error, r.rank, r.namespace, r.name], () => [
    r.message && el('p', {class: r.hold ? 'say ' + colour(r) : 'say'}, r.message),
    r.holdSince && el('p', {class: 'dim'}, 'Held since ', when(r.holdSince), '.'),
    r.error && el('p', {class: 'bad'}, `Last error: ${r.error}`),
    el('pre', {}, `handover explain ${ref(r)}`)]);
  part(w.body, 'rehearsal', r.rehearsal, x => rehearsal(x, ref(r)));
  part(w.body, 'facts', t ? [t.startedAt, t.deadline, t.step, t.steps, t.percent, t.soakFrom, t.soakSeconds, t.turn, t.trials, t.ledSeconds, t.objectsCanary, t.objectsTotal] : [r.heldBy], () => facts(t ? [
    ['Progress', progress(t)], ['Started', when(t.startedAt)],
    t.soakFrom && ['Soak ends', when(new Date(Date.parse(t.soakFrom) + 1000 * t.soakSeconds).toISOString()), ', if the evidence suffices'],
    t.deadline && ['Deadline', when(t.deadline)]] : [r.heldBy && ['Held back by', r.heldBy === 'policy' ? "the API server's policy" : 'spec.paused']]));
  part(w.body, 'evidence', t && [t.verdict, t.why, t.words, t.points, t.canary, t.stable, t.controllers, Math.round(wide / 40)], () => evidence(t, wide));
  part(w.body, 'signals', t && t.signals, signals);
  part(w.body, 'history', r.history, h => [el('h4', {}, 'History'), past(h)].flat());
}
function drawTargets() {
  const want = $('find').value.trim().toLowerCase();
  const all = [...items].filter(([k]) => k.startsWith('t/'))
    .sort(([a, x], [b, y]) => x.rank - y.rank || (a < b ? -1 : 1));
  const keep = new Set(all.map(([k]) => k));
  for (const [k, w] of rows) if (!keep.has(k)) { w.li.remove(); rows.delete(k); opened.delete(k); }
  const shown = all.filter(([, r]) => !want || `${r.namespace}/${r.name} ${r.phase} ${r.hold || ''} ${r.image || ''}`.toLowerCase().includes(want));
  let nth = 0, from = -1;
  for (const [title, rank] of groups) {
    const id = `g${rank}`, mine = shown.filter(([, r]) => r.rank <= rank && r.rank > from);
    from = rank;
    let box = $(id);
    if (!box) {
      box = el('details', {id, class: 'group', open: rank < 6 || mine.length <= 25 ? '' : undefined}, el('summary', {}, el('h3')), el('ul', {class: 'rows'}));
      $('targets').append(box);
    }
    box.hidden = !mine.length;
    if (want && mine.length) box.open = true;
    set(box.firstChild.firstChild, `${title} (${mine.length})`);
    const list = mine.map(([k, r]) => row(k, r, nth++));
    list.forEach((li, i) => { if (box.lastChild.children[i] !== li) box.lastChild.insertBefore(li, box.lastChild.children[i] || null); });
    while (box.lastChild.children.length > list.length) box.lastChild.lastChild.remove();
  }
  const c = items.get('counts'), me = items.get('instance');
  const some = c && c.targets > all.length ? `; the ${all.length} most urgent are here` : '';
  set($('counts'), c ? `${plural(c.targets, 'target')}${some}${want ? `; ${shown.length} shown` : ''}` : '');
  part($('targets'), 'none', me && me.leading && !shown.length ? [all.length, want] : null, () => el('p', {class: 'dim'}, all.length ? `Nothing fits "${want}".`
    : 'No Deployment takes part yet. To have one guarded:'));
  part($('targets'), 'how', me && me.leading && !all.length ? 1 : null, () => el('pre', {}, 'kubectl annotate deployment NAME handover.dev/canary-percent=10'));
}

// ---- the rest ----
function drawLeader() {
  const me = items.get('instance');
  if (!me) return;
  const holder = (me.holder || '').replace(/_.*/, '');
  if (me.leading && (!takeovers.length || takeovers[0].term !== me.term)) takeovers.unshift(me), takeovers.splice(10);
  const standby = !me.leading;
  $('notice').hidden = !standby;
  part($('notice'), 'who', standby ? [holder, me.trouble, me.leaseNamespace] : null, () => [
    el('b', {}, 'This instance stands by. '), holder ? `${holder} leads, and has what there is to see: ` : 'Nobody leads. ',
    holder && el('pre', {}, `kubectl port-forward -n ${me.leaseNamespace} pod/${holder} 8080`)]);
  set($('ns'), me.leaseNamespace);
  part($('leader'), 'facts', [me, items.get('checks')], () => facts([
    ['This instance', `${me.pod}${me.leading ? ', leads' : ', stands by'}${me.draining ? ', draining' : ''}`],
    ['Leader', holder || el('span', {class: 'bad'}, 'nobody')], me.term >= 0 && ['Term', String(me.term)],
    me.trialUntil && ['On trial', `guarded by ${(me.guardian || '').replace(/_.*/, '')}, until `, when(me.trialUntil)],
    me.since && ['Since', when(me.since), ` (${me.reason})`],
    me.gapMs !== undefined && ['Gap before', `${me.gapMs} ms without a leader`],
    me.trouble && ['Caches', el('span', {class: 'bad'}, me.trouble)],
    ['Checks', ...(items.get('checks') || []).flatMap((c, i) => [i ? ', ' : '', el('span', {class: c.ok ? 'good' : 'bad'}, c.ok ? `${c.name} ok` : `${c.name} failed: ${c.why}`)])]]));
  part($('leader'), 'terms', takeovers.length ? takeovers : null, () => table('Takeovers by this instance, while this page was open', ['Term', 'since', 'how', '#gap'],
    takeovers.map(t => [String(t.term), when(t.since), t.reason, t.gapMs === undefined ? 'not known' : `${t.gapMs} ms`])));
  set($('foot'), `Handover ${me.version}. Nothing can be changed here; commands: handover --help.`);
}
function drawQueue() {
  const q = items.get('queue');
  part($('queue'), 'queue', q || 0, () => q ? [
    el('p', {}, `${plural(q.pending, 'key')} waiting, ${q.inflight} being worked on.`),
    q.failing.length && table('Keys that have failed', ['Key', 'state', '#failures'], q.failing.map(k => [k.key, k.state, String(k.failures)])),
    q.dead ? table(`Dead letters (${q.dead})`, ['Key', 'since', '#failures', 'reason'], q.letters.map(k => [k.key, k.since ? when(k.since) : '', String(k.failures), k.reason]))
      : el('p', {class: 'dim'}, 'No dead letters.'),
    q.dead && el('pre', {}, 'handover deadletter list')] : el('p', {class: 'dim'}, 'The leader has them.'));
}
function draw() {
  drawing = false;
  drawLeader();
  drawTargets();
  drawQueue();
}
function soon() {
  if (!drawing) { drawing = true; setTimeout(draw, 0); }
}

// ---- the stream ----
function say(text, cls) { set($('status'), text, cls || ''); }
function show(seen) { $('seen').hidden = !seen; $('login').hidden = seen; }
function take(message) {
  const m = JSON.parse(message);
  skew = m.now - Date.now();
  if (m.all) items.clear();
  for (const [k, v] of Object.entries(m.items)) items.set(k, v);
  for (const k of m.gone) items.delete(k);
  show(true);
  soon();
}
async function read() {
  abort = new AbortController();
  const answer = await fetch('page/events', {headers: token ? {'X-Handover-Token': token} : {}, cache: 'no-store', signal: abort.signal});
  if (answer.status === 401 || answer.status === 403) {
    set($('refused'), answer.status === 401 && !token ? '' : (await answer.text()).trim());
    say('Not signed in');
    show(false);
    return false;
  }
  if (!answer.ok) throw new Error((await answer.text()).trim().slice(0, 300) || `HTTP ${answer.status}`);
  const reader = answer.body.getReader(), decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return true;
    heard = Date.now();
    tries = lostAt = 0;
    document.body.classList.remove('stale');
    say('Live');
    text += decoder.decode(value, {stream: true});
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2))
      if (text.startsWith('data: ')) take(text.slice(6, end));
  }
}
async function run() {
  running = true;
  for (;;) {
    let why = '';
    try {
      running = await read();
      if (!running) return;
      await new Promise(r => setTimeout(r, 300));
      continue;
    } catch (e) { why = e.name === 'AbortError' ? 'it has been silent' : e.message; }
    if (!lostAt) lostAt = heard || Date.now();
    document.body.classList.add('stale');
    say(`The server is lost since ${new Date(lostAt).toLocaleTimeString()} (${why}); trying again. What is shown is from then.`, 'bad');
    await new Promise(r => setTimeout(r, Math.min(10000, 500 * 2 ** tries++)));
  }
}
setInterval(() => {
  if (abort && heard && Date.now() - heard > 15000) { heard = Date.now(); abort.abort(); }
  for (const e of document.querySelectorAll('time')) age(e);
}, 1000);
$('login').addEventListener('submit', e => { e.preventDefault(); token = $('token').value.trim(); $('token').value = ''; say('Connecting'); run(); });
$('find').addEventListener('input', drawTargets);
let resized = 0;
addEventListener('resize', () => { clearTimeout(resized); resized = setTimeout(draw, 150); });
function fromAddress() {
  if (!location.hash.startsWith('#token=')) return false;
  token = decodeURIComponent(location.hash.slice(7));
  history.replaceState(null, '', location.pathname);
  return true;
}
addEventListener('hashchange', () => { if (fromAddress()) running ? abort.abort() : run(); });
fromAddress();
run();
