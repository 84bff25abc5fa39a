// Bundles the page of `vigor report` and writes it as C++: node build.mjs REPORT_PAGE.cpp
import {createHash} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const source = (name) => fileURLToPath(new URL(`src/${name}`, import.meta.url));

async function bundle(entry, options) {
  const result = await build({
    entryPoints: [source(entry)], bundle: true, minify: true, write: false, charset: 'utf8',
    target: ['chrome109', 'firefox115', 'safari16.4'], legalComments: 'none', logLevel: 'warning',
    ...options,
  });
  return result.outputFiles[0].text.trim();
}

const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const script = await bundle('main.ts', {format: 'iife'});
const style = await bundle('style.css', {});
for (const text of [script, style]) {
  if (/<\/(script|style)/i.test(text)) throw new Error('the bundle would end its own element');
}

// Nothing may be loaded; of scripts and styles only these two run.
const policy = ["default-src 'none'", `script-src ${hash(script)}`, `style-src ${hash(style)}`,
                'img-src data: blob:', "base-uri 'none'", "form-action 'none'"].join('; ');
const page = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>vigor report</title>
<style>${style}</style>
<!-- Holds Apache ECharts (Apache-2.0) with zrender (BSD-3-Clause) and tslib (0BSD). -->
</head>
<body>
<noscript>This report needs JavaScript; it loads nothing from the network.</noscript>
@@VIGOR_DATA@@
<script>${script}</script>
</body>
</html>
`;

// Bytes outside of printable ASCII as octal, so that no digit that follows joins them.
const escaped = (bytes) => Array.from(bytes, (b) => {
  if (b === 34 || b === 92 || b === 63) return '\\' + String.fromCharCode(b);
  return b >= 32 && b < 127 ? String.fromCharCode(b) : '\\' + b.toString(8).padStart(3, '0');
}).join('');

const bytes = Buffer.from(page);
const lines = [];
for (let at = 0; at < bytes.length; at += 4096) {
  lines.push(`    "${escaped(bytes.subarray(at, at + 4096))}"`);
}
writeFileSync(process.argv[2], `// Made by report/build.mjs.
#include "report_page.h"

namespace vigor {

std::string_view report_page() {
  static constexpr char kPage[] =
${lines.join('\n')};
  return {kPage, sizeof kPage - 1};
}

}  // namespace vigor
`);
