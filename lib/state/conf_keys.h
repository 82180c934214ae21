/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_CONF_KEYS_H
#define VYX_STATE_CONF_KEYS_H

/*
 * Every key of vyx.yaml, once. The loader, its defaults, `vyx-conf keys`,
 * `json` and the rows of the registry are made from this table; tests compare
 * vyx.yaml(5) and etc/vyx.yaml with it.
 *
 * type   STR   a text			WORD  one of the words of `range`
 *	  INT   a whole number		LIST  a text, or a list of them
 *	  DUR   a duration (units.h)	ENV   NAME: value, or a list of NAMEs
 *	  SIZE  a size (units.h)
 * default "": nothing; a pool block under a worker has that of ipc.pool
 * range   smallest..largest, either may be left out; or the words allowed
 * feeds   the column of the row it becomes (DUR as whole ms, rounded up, SIZE
 *	   as bytes); `setting` is the row named by the key; `-` none
 *
 * Order: global keys, then those of a worker, then those of a route.
 */

/* clang-format off */
#define VYX_CONF_KEYS(X) \
	X(PROJECT_NAME,	    "project.name",	      STR,  "",	       "", "-", "name of the project; required") \
	X(PROJECT_VERSION,  "project.version",	      STR,  "0.2.0",   "", "-", "its version; for information") \
	X(LISTEN,	    "listen",		      LIST, "127.0.0.1:8080", "", "listener", "where clients connect: ADDRESS:PORT, [IPV6]:PORT, unix:/PATH") \
	X(ROUTERS,	    "gateway.routers",	      INT,  "1",       "1..64", "setting", "vyx-route processes") \
	X(HEADER_TIMEOUT,   "gateway.header_timeout", DUR,  "10s",     "1ms..596h", "setting", "a request's head must be in, from its first byte on") \
	X(BODY_TIMEOUT,	    "gateway.body_timeout",   DUR,  "30s",     "1ms..596h", "setting", "longest silence within a request's body") \
	X(BODY_MIN_RATE,    "gateway.body_min_rate",  SIZE, "256b",    "..1gb", "setting", "bytes a second that a body must bring on average, and a client take of an answer over each write_timeout; 0: any") \
	X(WRITE_TIMEOUT,    "gateway.write_timeout",  DUR,  "30s",     "1ms..596h", "setting", "longest time in which a client takes no byte of its answer") \
	X(ANSWER_TIMEOUT,   "gateway.answer_timeout", DUR,  "5m",      "0..596h", "setting", "longest silence of a worker within an answer; 0: for ever") \
	X(IDLE_TIMEOUT,	    "gateway.idle_timeout",   DUR,  "60s",     "1ms..596h", "setting", "a client's connection is kept so long between requests") \
	X(TUNNEL_TIMEOUT,   "gateway.tunnel_timeout", DUR,  "1h",      "0..596h", "setting", "longest silence of an upgraded connection; 0: for ever") \
	X(DRAIN_TIMEOUT,    "gateway.drain_timeout",  DUR,  "30s",     "0..596h", "setting", "what is in flight at a stop may take so long") \
	X(MAX_HEAD,	    "gateway.max_head",	      SIZE, "16kb",    "1kb..64kb", "setting", "largest head, of a request and of an answer") \
	X(MAX_PER_CLIENT,   "gateway.max_connections_per_client", INT, "1024", "0..1000000", "setting", "connections from one address; 0: any number") \
	X(JWT_SECRET_ENV,   "security.jwt_secret_env", STR, "JWT_SECRET", "", "setting", "environment variable that holds the key of tokens") \
	X(ANONYMOUS_ROLE,   "security.anonymous_role", STR, "",	       "", "setting", "role that a request without a token has") \
	X(GLOBAL_TIMEOUT,   "security.global_timeout", DUR, "30s",     "1ms..596h", "setting", "a worker's answer must begin in this time") \
	X(PAYLOAD_MAX,	    "security.payload_max_size", SIZE, "1mb",  "", "setting", "largest body of a request; 0: any size") \
	X(RATE_PER_IP,	    "security.rate_limit.per_ip", INT, "100",  "", "setting", "requests a minute from one address") \
	X(RATE_PER_TOKEN,   "security.rate_limit.per_token", INT, "500", "", "setting", "requests a minute under one token") \
	X(BREAKER_FAILURES, "security.circuit_breaker.failures", INT, "5", "0..2147483647", "setting", "failures in a row that open the breaker; 0 means 5") \
	X(BREAKER_COOLDOWN, "security.circuit_breaker.cooldown", DUR, "30s", "0..596h", "setting", "time it stays open; 0 means 30s") \
	X(BREAKER_HALF_OPEN, "security.circuit_breaker.half_open_max", INT, "3", "0..2147483647", "setting", "trial requests while half open; 0 means 1") \
	X(SOCKET_DIR,	    "ipc.socket_dir",	      STR,  "/tmp/vyx", "", "-", "run directory of vyx up") \
	X(ARROW_THRESHOLD,  "ipc.arrow_threshold",    SIZE, "512kb",   "", "-", "read and checked, without effect") \
	X(MIN_IDLE,	    "ipc.pool.min_idle",      INT,  "2",       "0..65535", "-", "connections kept idle for each instance") \
	X(MAX_SIZE,	    "ipc.pool.max_size",      INT,  "16",      "1..65535", "-", "connections to an instance at most") \
	X(POOL_IDLE,	    "ipc.pool.idle_timeout",  DUR,  "30s",     "0..596h", "-", "an idle one is replaced after this time; 0: never") \
	X(MAX_WAITING,	    "ipc.pool.max_waiting",   INT,  "1024",    "0..65535", "-", "requests that may wait beside those that max_size has room for, for each router") \
	X(WAIT_TIMEOUT,	    "ipc.pool.wait_timeout",  DUR,  "10s",     "1ms..596h", "-", "longest wait for a connection") \
	X(MAX_TUNNELS,	    "ipc.pool.max_tunnels",   INT,  "1000",    "0..65535", "-", "upgraded connections to an instance at most") \
	X(SCHEMAS_DIR,	    "build.schemas_dir",      STR,  "./schemas", "", "-", "where the schemas are that routes name") \
	X(ROUTE_MAP,	    "build.route_map_output", STR,  "./route_map.json", "", "-", "the generated routes") \
	\
	X(W_ID,		    "workers[].id",	      STR,  "",	       "", "-", "its name, [A-Za-z0-9._:-], 64 bytes at most; required") \
	X(W_COMMAND,	    "workers[].command",      STR,  "",	       "", "worker.command", "what to run, split at blanks, no quoting; required") \
	X(W_DIR,	    "workers[].working_dir",  STR,  "",	       "", "worker.dir", "where to run it") \
	X(W_RUNTIME,	    "workers[].runtime_version", STR, "",      "", "-", "for information") \
	X(W_REPLICAS,	    "workers[].replicas",     INT,  "1",       "0..1000", "worker.replicas", "instances; 0 means 1") \
	X(W_STRATEGY,	    "workers[].strategy",     WORD, "round-robin", "round-robin|least-loaded", "worker.strategy", "which instance is next") \
	X(W_PROTOCOL,	    "workers[].protocol",     WORD, "vyx",     "http|vyx", "worker.protocol", "what it speaks; http by {socket} or {fd} in its command") \
	X(W_STARTUP,	    "workers[].startup_timeout", DUR, "0s",    "..596h", "worker.startup-ms", "it must be ready in this time; 0: waits for ever") \
	X(W_SHUTDOWN,	    "workers[].shutdown_timeout", DUR, "30s",  "0..596h", "worker.shutdown-ms", "time to finish and end when it is stopped; 0 means 30s") \
	X(W_HEALTH,	    "workers[].health",	      STR,  "",	       "", "worker.health", "path that must answer before it counts as ready") \
	X(W_USER,	    "workers[].user",	      STR,  "",	       "", "worker.user", "user to run as: a name, a number, auto; else the owner of working_dir") \
	X(W_ENV,	    "workers[].env",	      ENV,  "",	       "", "worker.env", "variables it gets") \
	X(W_POOL_SIZE,	    "workers[].pool_size",    INT,  "0",       "0..65535", "-", "older name of pool.max_size; 0: not set") \
	X(W_MIN_IDLE,	    "workers[].pool.min_idle", INT, "",	       "0..65535", "worker.min-idle", "as ipc.pool.min_idle, for this worker") \
	X(W_MAX_SIZE,	    "workers[].pool.max_size", INT, "",	       "1..65535", "worker.max-size", "as ipc.pool.max_size, for this worker") \
	X(W_POOL_IDLE,	    "workers[].pool.idle_timeout", DUR, "",    "0..596h", "worker.idle-ms", "as ipc.pool.idle_timeout, for this worker") \
	X(W_MAX_WAITING,    "workers[].pool.max_waiting", INT, "",     "0..65535", "worker.max-waiting", "as ipc.pool.max_waiting, for this worker") \
	X(W_WAIT_TIMEOUT,   "workers[].pool.wait_timeout", DUR, "",    "1ms..596h", "worker.wait-ms", "as ipc.pool.wait_timeout, for this worker") \
	X(W_MAX_TUNNELS,    "workers[].pool.max_tunnels", INT, "",     "0..65535", "worker.tunnels", "as ipc.pool.max_tunnels, for this worker") \
	\
	X(R_PATH,	    "workers[].routes[].path", STR, "",	       "", "route.path", "pattern: /a/:one/*rest; required") \
	X(R_METHOD,	    "workers[].routes[].method", LIST, "*",    "", "route.method", "method, a list of them, or * for all but WS") \
	X(R_HOST,	    "workers[].routes[].host", STR, "",	       "", "route.host", "host it is for: a name, *.name; else every one") \
	X(R_ROLES,	    "workers[].routes[].roles", LIST, "",      "", "route.role", "roles of which a caller needs one") \
	X(R_AUTH_ROLES,	    "workers[].routes[].auth_roles", LIST, "", "", "route.role", "older name of roles") \
	X(R_VALIDATE,	    "workers[].routes[].validate", STR, "",    "", "route.validate", "schema for the body") \
	X(R_TYPE,	    "workers[].routes[].type", WORD, "api",     "api|page", "route.type", "api or page; for information")
/* clang-format on */

#endif
