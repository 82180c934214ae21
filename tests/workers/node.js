// SPDX-License-Identifier: ISC
// node.js SOCKET|FD - a Node HTTP server. The paths are those of vyx-hello(1),
// /pid beside.
'use strict';
const http = require('http');
const where = process.argv[2];

function answer(req, body) {
	const name = req.url.split('/')[1];
	if (name === 'echo')
		return body;
	if (name === 'headers')
		return Object.entries(req.headers)
			.map(([k, v]) => `${k}: ${v}\n`).join('');
	if (name === 'pid')
		return `${process.pid} ${process.getuid()}\n`;
	return 'hello from node\n';
}

const server = http.createServer((req, res) => {
	const parts = [];
	req.on('data', (d) => parts.push(d));
	req.on('end', () => {
		const [, name, ms] = req.url.split('/');
		setTimeout(() => {
			const out = answer(req, Buffer.concat(parts));
			res.setHeader('Content-Length', Buffer.byteLength(out));
			res.setHeader('Content-Type', 'text/plain');
			res.end(out);
		}, name === 'sleep' ? Number(ms) : 0);
	});
});
server.listen(/^\d+$/.test(where) ? { fd: Number(where) } : where);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
