// The page of `vigor report` in Chromium: VIGOR=... LARGE_RUN=... node tests/report/test_report.mjs
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {createHash} from 'node:crypto';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

const SKIPPED = 77;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const browserFile = process.env.CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const modules = here('../../report/node_modules/playwright-core');
for (const [found, what] of [[browserFile && existsSync(browserFile), 'no Chromium (Debian: chromium)'],
                             [existsSync(modules), 'no report/node_modules (make deps)']]) {
  if (!found) {
    console.log(`skipped: ${what}`);
    process.exit(SKIPPED);
  }
}
const required = createRequire(here('../../report/package.json'));
const {chromium} = required('playwright-core');
/** A module of the page that needs no browser. */
const source = async (name) => import('data:text/javascript,' + encodeURIComponent(required('esbuild').transformSync(
  readFileSync(here(`../../report/src/${name}.ts`), 'utf8'), {loader: 'ts'}).code));

const folder = mkdtempSync(join(tmpdir(), 'vigor-report-'));
const file = (name) => join(folder, name);
const python = (...words) => execFileSync('/usr/bin/python3', ['-B', here('fixture.py'), ...words]).toString();
const vigor = (...words) => execFileSync(process.env.VIGOR, words, {cwd: folder, stdio: ['ignore', 'pipe', 'pipe']});
const data = ['--data', 'npz:data.npz', '--class-names', 'names.txt'];

let browser, expected;
before(async () => {
  python('make', folder);
  vigor('analyze', 'net.onnx', ...data, '--audit', '5%', '-o', 'run.h5');
  vigor('inject', 'net.onnx', ...data, '--plan', 'layer', '--margin', '0.05', '-o', 'fi.h5');
  const share = {k: 999, n: 1000, share: 0.999, low: 0.994, high: 0.9998};
  writeFileSync(file('v.json'), JSON.stringify({layers: [
    {name: '<b>conv1</b>', true_noncritical: share, coverage: 0.5}, {name: 'fc1', true_critical: {k: 3, n: 4}}, 'odd', null]}));
  vigor('report', 'run.h5', '--injection', 'fi.h5', '--validation', 'v.json', '-o', 'report.html');
  vigor('validate', 'run.h5', '--plan', 'layer', '--margin', '0.05', '-o', 'validated.json');
  vigor('report', 'run.h5', '--validation', 'validated.json', '-o', 'validated.html');
  expected = JSON.parse(python('read', file('run.h5')));
  browser = await chromium.launch({executablePath: browserFile, args: ['--no-sandbox']});
});
after(async () => {
  await browser?.close();
  rmSync(folder, {recursive: true});
});

/** A page that fails the test for any error, dialog or request; measured: its seconds() are those of the main thread. */
async function open(hash = '', {width = 1200, colorScheme = 'light', name = 'report.html', javaScriptEnabled = true, measured = false} = {}) {
  const page = await browser.newPage({viewport: {width, height: 900}, colorScheme, acceptDownloads: true, javaScriptEnabled});
  page.faults = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && page.faults.push(message.text()));
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.on('dialog', (dialog) => { page.faults.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && request.url().split('#')[0] !== `file://${file(name)}`) page.faults.push(`request ${request.url()}`);
  });
  if (measured) {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', {timeDomain: 'threadTicks'});
    page.seconds = async () => (await session.send('Performance.getMetrics')).metrics.find((m) => m.name === 'ThreadTime').value;
  }
  await page.goto(`file://${file(name)}${hash}`);
  if (javaScriptEnabled) await page.waitForSelector('body[data-ready]');
  return page;
}
async function done(page) {
  assert.deepEqual(page.faults, []);
  await page.close();
}
const near = (a, b, share = 1e-3) => assert.ok(a === b || Math.abs(a - b) <= share * Math.abs(b) + 1e-12, `got ${a}, expected ${b}`);
// "−1.2·10⁵" as the page writes it.
const parsed = (text) => {
  const plain = text.replaceAll('\u2212', '-').replace('\u221e', 'Infinity').replace('\u00b710', 'e').replace('\u207b', '-').replace(/[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]/g, (d) => '\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079'.indexOf(d));
  return plain === '\u2013' ? NaN : parseFloat(plain);
};
const csv = (text) => text.trim().split('\n').map((row) => row.split(',').map((v) => (v === '' || Number.isNaN(Number(v)) ? v : Number(v))));
// Chromium loses one now and then on a busy machine, so that a second click must do.
async function download(page, button) {
  const click = (timeout) => Promise.all([page.waitForEvent('download', {timeout}), button.click()]);
  const [saved] = await click(10_000).catch(() => click(60_000));
  return readFileSync(await saved.path());
}

test('opens and shows the figures of the run', async () => {
  const page = await open();
  const mvf = await page.getAttribute('[data-mvf]', 'data-mvf');
  near(Number(mvf), expected.mvf, 1e-12);
  near(parsed(await page.textContent('[data-mvf]')) / 100, expected.mvf, 5e-3);
  for (const id of ['overview', 'where', 'bits', 'why', 'protect', 'trust', 'cost', 'glossary', 'provenance']) {
    assert.ok(await page.locator(`section#${id}`).isVisible(), id);
  }
  const layers = csv((await download(page, page.locator('#figure-layers button', {hasText: 'CSV'}))).toString());
  const column = layers[0].indexOf('lvf');
  expected.sites.forEach((site, i) => near(layers[i + 1].at(column - layers[0].length), site.lvf, 1e-9));
  assert.ok(await page.locator('#figure-injection').isVisible());
  assert.match(await page.textContent('#trust'), /<b>conv1<\/b>.*99.90/s);
  await done(page);
});

test('says where it comes from, on the front and in full', async () => {
  const page = await open();
  const front = await page.textContent('#overview .origin');
  const model = createHash('sha256').update(readFileSync(file('net.onnx'))).digest('hex');
  assert.ok(front.includes(`Model net.onnx (${model.slice(0, 12)})`), front);
  assert.match(front, /data .*, seed 0, vigor \d+\.\d+\.\d+ on Linux/s);
  const full = await page.textContent('#provenance');
  assert.ok(full.includes(model));
  assert.match(full, /audit 0\.05,/);  // single precision, yet as it was typed
  assert.doesNotMatch(full, /null|\[\]/);
  await done(page);
});

test('the validation is that of the file', async () => {
  const page = await open('', {name: 'validated.html'});
  const {layers, total} = JSON.parse(readFileSync(file('validated.json'))).sets[0];
  const [hold, reach] = await Promise.all([0, 1].map((i) => page.locator('#trust h4 + .scroll').nth(i).locator('tbody tr').evaluateAll((rows) =>
    rows.map((row) => [...row.cells].slice(1).map((cell) => [cell.firstChild.textContent, cell.querySelector('small')?.textContent])))));
  [...layers, total].forEach((layer, i) => {
    for (const [cells, keys] of [[hold[i], ['true_noncritical', 'true_critical', 'true_critical_finite', 'true_critical_open']],
                                 [reach[i], ['base_rate', 'nan_share', 'coverage', 'recall', 'recall_not_noncritical', 'critical_beyond']]]) {
      keys.forEach((key, k) => {
        const {share, low, n} = layer[key], [text, small] = cells[k];
        if (share === null) return assert.equal(text, '\u2013');
        for (const [shown, value] of [[text, share], [small, low]]) {
          assert.ok(Math.abs(parsed(shown) / 100 - value) < 5.1e-5, `${key}: ${shown}, expected ${value}`);
        }
        if (cells === hold[i]) assert.ok(small.endsWith(`of ${n.toLocaleString('en-US')}`), small);
      });
    }
  });
  assert.match(await page.textContent('#trust'), /Validation on the inputs of the ranges/);
  await done(page);
});

test('LVF against accuracy loss carries its coefficients', async () => {
  const page = await open();
  const figure = page.locator('#figure-accuracy-loss');
  const points = csv((await download(page, figure.locator('button', {hasText: 'CSV'}))).toString()).slice(1).map((row) => row.slice(-3, -1));
  const mean = (i) => points.reduce((sum, p) => sum + p[i], 0) / points.length;
  const moment = (i, j) => points.reduce((sum, p) => sum + (p[i] - mean(i)) * (p[j] - mean(j)), 0);
  const pearson = moment(0, 1) / Math.sqrt(moment(0, 0) * moment(1, 1));
  const drawing = (await download(page, figure.locator('button', {hasText: 'SVG'}))).toString();
  assert.ok(Math.abs(parsed(/Pearson ([^,]+), Spearman/.exec(drawing)[1]) - pearson) < 5.1e-4, `${pearson}`);
  await done(page);
});

test('ends of axes are round, names stand beside points', async () => {
  const {roundEnds} = await source('format');
  assert.deepEqual(roundEnds(0, 7.775, 8), {min: 0, max: 8, interval: 1});
  assert.deepEqual(roundEnds(0, 0.00482421875), {min: 0, max: 0.005, interval: 0.001});
  assert.deepEqual(roundEnds(-0.31, 2.9), {min: -1, max: 3, interval: 1});
  assert.deepEqual(roundEnds(0, 0.3, 3), {min: 0, max: 0.3, interval: 0.1});
  const {labelPlaces} = await source('labels');
  assert.deepEqual(labelPlaces([[100, 50]], ['a'], 200), ['right']);
  assert.deepEqual(labelPlaces([[20, 50], [60, 50], [190, 50]], ['long', 'name', 'end'], 200), ['top', 'right', 'left']);
  assert.deepEqual(labelPlaces([[2, 2], [2, 2]], ['much too long', 'much too long'], 40), [null, null]);
});

test('a click leads to a layer and to a neuron with the ranges of the run', async () => {
  const page = await open();
  await page.locator('.tiles a').first().click();
  await page.waitForSelector('#neurons');
  const top = Math.max(...expected.sites[0].nvf);
  near(parsed(await page.textContent('#neurons tbody tr td:nth-child(2)')) / 100, top, 5e-3);
  await page.locator('#neurons tbody a').first().click();
  await page.waitForSelector('h2:has-text("Neuron")');
  const flat = Number(new URL(page.url()).hash.split('/').pop());
  const site = expected.sites[0], k = site.neuron.indexOf(flat);
  near(site.nvf[k], top, 1e-12);

  const last = site.nonvulnerable.length - 1;
  const cells = await page.locator('.view > .scroll tbody tr').last().locator('td').allTextContents();
  const shown = cells.slice(1, 5).map(parsed);
  [...site.nonvulnerable[last][k], ...site.vulnerable[last][k]].forEach((value, i) => near(shown[i], Number(value === 'inf' ? Infinity : value === '-inf' ? -Infinity : value)));

  const rows = csv((await download(page, page.locator('figure', {hasText: 'Vulnerability ranges'}).locator('button', {hasText: 'CSV'}))).toString());
  // All inputs first, then the classes that have inputs.
  const kept = [last, ...Array.from({length: last}, (_, c) => c).filter((c) => site.golden[c][k][0] !== 'nan')];
  assert.equal(rows.length, 1 + kept.length);
  const number = (value) => (value === 'inf' ? Infinity : value === '-inf' ? -Infinity : value);
  for (const row of rows.slice(1)) {
    const at = row.length - 10;  // the name before may hold anything
    const golden = row.slice(at + 8), index = kept[rows.indexOf(row) - 1];
    golden.forEach((value, side) => near(value, site.golden[index][k][side], 1e-6));
    for (const side of [0, 1]) {
      const safe = number(site.nonvulnerable[index][k][side]), critical = number(site.vulnerable[index][k][side]);
      near(row[at + side], safe, 2 ** -23);
      near(row[at + 2 + side], critical, 2 ** -23);
      assert.ok(Math.abs(row[at + side]) <= Math.abs(safe) && Math.abs(row[at + 2 + side]) >= Math.abs(critical), 'rounded to the optimistic side');
    }
  }
  const flips = csv((await download(page, page.locator('figure', {hasText: 'bit flip lands'}).locator('button', {hasText: 'CSV'}))).toString());
  for (const row of flips.slice(1)) near(row[5], site.bvf[k][row[0]], 1e-6);
  await page.goBack();
  await page.waitForSelector('#neurons');
  await done(page);
});

test('hostile names stay text', async () => {
  for (const hash of ['', '#site/0', '#neuron/0/3', '#neuron/2/0', '#site/99', '#neuron/0/x', '#%3Cimg%20src=x%3E']) {
    const page = await open(hash);
    assert.equal(await page.locator('img, iframe, object, [onerror]').count(), 0);
    assert.doesNotMatch(await page.innerText('body'), /\u202e/);
    await done(page);
  }
  const page = await open('#site/0');
  assert.match(await page.textContent('.view'), /<\/script><img src=x onerror=alert\(1\)>/);
  await done(page);
});

test('nothing but its own script runs and nothing can be fetched', async () => {
  const page = await open();
  const result = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'window.intruder = true';
    document.body.append(script);
    const fetched = await fetch('https://example.org/').then(() => true, () => false);
    return [window.intruder === true, fetched];
  });
  assert.deepEqual(result, [false, false]);
  assert.ok(page.faults.every((fault) => /Content Security Policy|Refused|violates/.test(fault)), page.faults.join());
  await page.close();
});

test('figures download as PNG, SVG and CSV', async () => {
  const blank = await browser.newPage();  // to parse in, without the policy
  for (const [hash, count] of [['', 8], ['#site/0', 3], ['#neuron/0/3', 2]]) {
    const page = await open(hash);
    const figures = page.locator('figure');
    assert.ok(await figures.count() >= count, `${await figures.count()} figures in ${hash}`);
    for (const figure of await figures.all()) {
      const title = await figure.locator('h3').textContent();
      const png = await download(page, figure.locator('button', {hasText: 'PNG'}));
      assert.equal(png.subarray(1, 4).toString(), 'PNG', title);
      assert.ok(png.length > 1000, `${title}: an empty drawing of ${png.length} bytes`);
      const table = (await download(page, figure.locator('button', {hasText: 'CSV'}))).toString();
      assert.ok(table.trim().split('\n').length > 1, title);
      const svg = figure.locator('button', {hasText: 'SVG'});
      if (await svg.count() === 0) continue;  // feature maps are pixels
      const drawing = (await download(page, svg)).toString();
      const wrong = await blank.evaluate((text) => new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror')?.textContent, drawing);
      assert.equal(wrong, undefined, title);
      const labels = [...drawing.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((m) => m[1]).filter((label) => /^[\u2212-]?\d+\.\d+$/.test(label));
      for (const label of labels) assert.ok(label.replace(/^\D*[0.]*|\./g, '').length <= 5, `${title}: ${label}`);
    }
    await done(page);
  }
});

test('neurons sort and filter', async () => {
  const page = await open('#site/0');
  const column = async (i) => (await page.locator(`#neurons tbody td:nth-child(${i})`).allTextContents());
  const nvf = async () => (await column(2)).map(parsed);
  const falling = await nvf();
  assert.deepEqual(falling, [...falling].sort((a, b) => b - a));
  await page.locator('#neurons th button', {hasText: 'NVF'}).click();
  const rising = await nvf();
  assert.deepEqual(rising, [...rising].sort((a, b) => a - b));
  assert.equal(await page.getAttribute('#neurons th:nth-child(2)', 'aria-sort'), 'ascending');
  await page.fill('#neurons input[type=search]', '1,*,2');
  const places = await column(1);
  assert.equal(places.length, 4);
  places.forEach((place) => assert.match(place, /^\(1, \d, 2\)$/));
  await page.fill('#neurons input[type=search]', '');
  await page.fill('#neurons input[type=number]', '100.1');
  assert.equal((await column(1)).length, 0);
  await done(page);
});

test('the keyboard reaches a neuron, and everything has a name', async () => {
  const page = await open('#site/0');
  await page.locator('.maps canvas').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  assert.match(await page.textContent('.says'), /^Neuron \(0, 1, 1\): NVF/);
  await page.keyboard.press('Enter');
  await page.waitForSelector('h2:has-text("Neuron (0, 1, 1)")');
  for (const hash of ['#overview', '#site/1', '#neuron/1/0']) {
    await page.evaluate((to) => { location.hash = to; }, hash);
    await page.waitForTimeout(200);
    const nameless = await page.evaluate(() => [...document.querySelectorAll('[role=img], canvas:not([aria-hidden]), button, a, input')]
      .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label')?.textContent.trim())).map((e) => e.outerHTML.slice(0, 80)));
    assert.deepEqual(nameless, []);
  }
  await done(page);
  const front = await open();
  await front.keyboard.press('Tab');
  assert.equal(await front.evaluate(() => document.activeElement.className), 'skip');
  await done(front);
});

test('narrow and wide, light and dark, on paper', async () => {
  for (const width of [340, 768, 1600]) {
    for (const hash of ['', '#site/0', '#site/2', '#neuron/0/3']) {
      const page = await open(hash, {width, colorScheme: 'dark'});
      await page.waitForTimeout(200);
      const [content, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      assert.ok(content <= shown, `${hash} is ${content} wide at ${shown}`);
      assert.ok(await page.locator('figure').first().isVisible());
      await done(page);
    }
  }
  const map = await open('#site/0', {width: 1600});
  await map.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  await map.emulateMedia({media: 'print'});
  const [wide, swatch] = await map.evaluate(() => [document.querySelector('.maps canvas').offsetWidth, getComputedStyle(document.querySelector('.swatch')).printColorAdjust]);
  assert.ok(wide <= 660, `feature maps ${wide} wide on paper`);
  assert.equal(swatch, 'exact');
  await done(map);
  const page = await open();
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.click('.theme');
  assert.notEqual(await ground(), light);
  const paper = await page.pdf({format: 'A4'});
  assert.ok(paper.length > 50_000, `${paper.length} bytes of PDF`);
  await page.waitForTimeout(200);
  await done(page);
});

test('without scripts the page says so', async () => {
  const page = await open('', {javaScriptEnabled: false});
  assert.match(await page.innerText('body'), /needs JavaScript/);
  await done(page);
});

test('300,000 neurons: below 15 MB, open in 2 s', async () => {
  execFileSync(process.env.LARGE_RUN, [file('large.h5'), '300000']);
  vigor('report', 'large.h5', '-o', 'large.html');
  const {size} = statSync(file('large.html'));
  assert.ok(size < 15e6, `${size} bytes`);
  const times = [], work = [];
  for (let i = 0; i < 3; ++i) {
    const page = await open('', {name: 'large.html', measured: true});
    times.push(await page.evaluate(() => performance.getEntriesByName('ready')[0].startTime));
    work.push(await page.seconds() * 1000);
    if (i === 0) {
      await page.locator('.tiles a').first().click();
      await page.waitForSelector('#neurons tbody tr');
      await page.locator('#neurons tbody a').first().click();
      await page.waitForSelector('h2:has-text("Neuron")');
    }
    await done(page);
  }
  console.log(`300,000 neurons: ${(size / 1e6).toFixed(1)} MB, ready after ${times.map(Math.round).join(', ')} ms, of which the page worked ${work.map(Math.round).join(', ')} ms`);
  // Not the wall's clock: the machine may be busy with other tests.
  assert.ok(Math.min(...work) < 2000, `worked ${work.join(', ')} ms`);
});
