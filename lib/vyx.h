/* SPDX-License-Identifier: ISC */
#ifndef VYX_H
#define VYX_H
/*
 * vyx.h - the map: every process, every socket between two of them, every
 * message on it and every field in it, every table and every status word.
 * Read it first. `make map` prints it, vyx-protocol(7) is written from it, and
 * tests/map.bats fails where the code and it differ.
 *
 * One process, vyx-regd, owns the shared state. Any other holds a copy with
 * a revision (`rev`) on it, and is right to drop the copy at any time.
 */
#define VYX_PROTO 1     /* raise it when a row below changes meaning */
#define VYX_PROTO_MIN 1 /* the oldest that is still understood: VYX_PROTO - 1 */

/* clang-format off */

/*
 * The path of a request. Each hop is marked in the code: grep -rn 'HOP 3' .
 *	  n  program	   what it does				    where */
#define VYX_HOPS(X) \
	X(1, "vyx-route", "reads and checks the head",		    "cmd/vyx-route/front.c") \
	X(2, "vyx-route", "finds the route and its worker",	    "lib/state/route.c") \
	X(3, "vyx-route", "takes an idle connection, or waits",	    "lib/state/window.c") \
	X(4, "vyx-poold", "refills the window behind its back",	    "lib/state/pool.c") \
	X(5, "vyx-route", "relays request and answer",		    "cmd/vyx-route/relay.c") \
	X(6, "vyx-route", "frees the connection, writes one line", "cmd/vyx-route/done.c")

/*
 * Uid and gid are those taken under root when no system user of that name
 * exists. `dir` is the daemon's own directory below the run directory.
 *	  id	   program	   dir	     user	 uid	trusts	  and keeps */
#define VYX_PROCS(X) \
	X(REGD,	   "vyx-regd",	   "regd",   "vyxreg",	 52001, "itself", "all shared state") \
	X(POOLD,   "vyx-poold",	   "pool",   "vyxpool",	 52002, "regd",	  "worker connections") \
	X(ROUTE,   "vyx-route",	   "route",  "vyxnet",	 52003, "poold",  "client connections") \
	X(SUPERV,  "vyx-superv",   "superv", "root",	 0,	"regd",	  "service directories") \
	X(ACQUIRE, "vyx-acquire",  "",	     "caller",	 0,	"poold",  "one connection") \
	X(CONF,	   "vyx-conf",	   "",	     "caller",	 0,	"nobody", "nothing") \
	X(REG,	   "vyx-reg",	   "",	     "caller",	 0,	"regd",	  "nothing") \
	X(VYX,	   "vyx",	   "",	     "caller",	 0,	"regd",	  "nothing")

/*
 * Who may connect besides root and the listener's own uid. CTL is the socket
 * `ctl` in each daemon's own directory: DIR/ctl.
 *	  edge	  socket	  kind	     listens  may connect */
#define VYX_EDGES(X) \
	X(POOL,	  "pool/s",	  SEQPACKET, POOLD,   "ROUTE") \
	X(READ,	  "regd/read",	  STREAM,    REGD,    "ROUTE POOLD") \
	X(SEEN,	  "regd/seen",	  STREAM,    REGD,    "ROUTE POOLD") \
	X(OPS,	  "regd/ops",	  STREAM,    REGD,    "") \
	X(CTL,	  "ctl",	  STREAM,    EACH,    "")

/*
 * Each message: the edge, who says it (C connects, S listens), its verb, the
 * fields it must have, those it may have, and how many descriptors cross.
 * `*` among the fields: the columns of the table that `table` names. `+`
 * before a field: it may stand more than once.
 *	  edge	 from verb	   must have		     may have		  fds */
#define VYX_MESSAGES(X) \
	X(POOL,	 C, HELLO,	  "proto role name pid",     "",		  0) \
	X(POOL,	 C, HOLD,	  "c i state",		     "",		  1) \
	X(POOL,	 C, HELD,	  "n",			     "",		  0) \
	X(POOL,	 C, NEED,	  "w waiting since",	     "+lack",		  0) \
	X(POOL,	 C, GIVE,	  "c",			     "",		  0) \
	X(POOL,	 C, DROP,	  "c why",		     "",		  0) \
	X(POOL,	 C, LOST,	  "c",			     "",		  0) \
	X(POOL,	 C, SAYS,	  "i keeps",		     "",		  0) \
	X(POOL,	 C, STUCK,	  "c byte",		     "",		  0) \
	X(POOL,	 C, TUNNEL,	  "c",			     "",		  0) \
	X(POOL,	 C, MOVED,	  "c to",		     "",		  0) \
	X(POOL,	 C, BYE,	  "",			     "",		  0) \
	X(POOL,	 S, HELLO,	  "proto name",		     "",		  0) \
	X(POOL,	 S, WINDOW,	  "w up low idle-ms tunnels","",		  0) \
	X(POOL,	 S, CONN,	  "c i w",		     "",		  1) \
	X(POOL,	 S, RECALL,	  "w n before",		     "",		  0) \
	X(POOL,	 S, VOID,	  "i below",		     "",		  0) \
	X(READ,	 C, HELLO,	  "proto role name",	     "",		  0) \
	X(READ,	 C, GET,	  "id table key",	     "",		  0) \
	X(READ,	 C, LS,		  "id table",		     "prefix after limit",0) \
	X(READ,	 C, WATCH,	  "id +tables",		     "from",		  0) \
	X(READ,	 S, HELLO,	  "proto name rev floor boot host", "",		  0) \
	X(READ,	 S, OK,		  "id",			     "rev",		  0) \
	X(READ,	 S, NO,		  "id why",		     "text retry-ms",	  0) \
	X(READ,	 S, ROW,	  "id table key rev",	     "*",		  0) \
	X(READ,	 S, END,	  "id rev",		     "more",		  0) \
	X(READ,	 S, SNAPSHOT,	  "id rev",		     "",		  0) \
	X(READ,	 S, SYNCED,	  "id rev",		     "",		  0) \
	X(READ,	 S, PUT,	  "id table key rev",	     "*",		  0) \
	X(READ,	 S, DEL,	  "id table key rev",	     "",		  0) \
	X(READ,	 S, COMMIT,	  "id rev",		     "",		  0) \
	X(READ,	 S, CUT,	  "id why",		     "",		  0) \
	X(SEEN,	 C, PUT,	  "id table key",	     "if-rev *",	  0) \
	X(SEEN,	 C, DEL,	  "id table key",	     "if-rev",		  0) \
	X(SEEN,	 C, SYNC,	  "id source",		     "",		  0) \
	X(SEEN,	 C, SYNCED,	  "id",			     "",		  0) \
	X(OPS,	 C, PUT,	  "id table key",	     "if-rev *",	  0) \
	X(OPS,	 C, DEL,	  "id table key",	     "if-rev",		  0) \
	X(OPS,	 C, BEGIN,	  "id",			     "+replace-table replace-owner", 0) \
	X(OPS,	 C, COMMIT,	  "id",			     "if-rev",		  0) \
	X(CTL,	 C, PING,	  "",			     "",		  0) \
	X(CTL,	 C, STAT,	  "",			     "",		  0) \
	X(CTL,	 S, PONG,	  "name pid",		     "",		  0) \
	X(CTL,	 S, FIGURE,	  "name value",		     "w i key",		  0) \
	X(CTL,	 S, END,	  "",			     "",		  0)
/* SEEN and OPS speak READ's messages too, both ways. */

/*
 * Tables of vyx-regd. life: WANTED and STATE are on disk before the answer;
 * SEEN is written without waiting, tagged with the boot, owned by a source;
 * PROC ends with the connection that put it. writers: who may put and del,
 * by the socket used and, for a seen one, by the peer's program.
 *	  id	    table	life	writers	       columns */
#define VYX_TABLES(X) \
	X(SETTING,  "setting",	WANTED, "OPS",	       "value owner src") \
	X(LISTENER, "listener", WANTED, "OPS",	       "tls http owner src") \
	X(WORKER,   "worker",	WANTED, "OPS",	       "command dir user uid +env replicas strategy protocol mode " \
							"min-idle min-idle-explicit max-size idle-ms tunnels max-waiting " \
							"wait-ms startup-ms shutdown-ms health locality expose drain owner src") \
	X(ROUTE,    "route",	WANTED, "OPS",	       "host +method path worker +role validate type policy limits headers owner src") \
	X(SCHEMA,   "schema",	WANTED, "OPS",	       "sha256 text owner src") \
	X(SOURCE,   "source",	SEEN,	"",	       "uid state since") \
	X(INSTANCE, "instance", SEEN,	"SUPERV OPS",  "worker source pid uid state code restarts since spec text") \
	X(ENDPOINT, "endpoint", SEEN,	"SUPERV OPS",  "worker source path kind max tunnels warm locality state") \
	X(USE,	    "use",	SEEN,	"POOLD OPS",   "source drained down") \
	X(PROC,	    "proc",	PROC,	"SUPERV POOLD ROUTE", "program pid version slot state since")

/*
 * Fields. A name means the same wherever it stands. max: for U the largest
 * value, for S and W the longest value in bytes. W is a word: no blank, no
 * control byte, not empty.
 *	  id		  name			type max	   meaning */
#define VYX_FIELDS(X) \
	X(PROTO,	  "proto",		U, 65535,	   "protocol number of the speaker") \
	X(ROLE,		  "role",		W, 64,		   "what the speaker is; in a row: a role that may pass") \
	X(NAME,		  "name",		W, 128,		   "of the speaker, or of a figure") \
	X(PID,		  "pid",		U, 4194304,	   "process") \
	X(C,		  "c",			U, UINT64_MAX,	   "connection number") \
	X(I,		  "i",			W, 128,		   "instance: worker[-n]#generation") \
	X(W,		  "w",			W, 64,		   "worker id") \
	X(N,		  "n",			U, UINT32_MAX,	   "how many") \
	X(STATE,	  "state",		W, 16,		   "one of VYX_STATES") \
	X(WAITING,	  "waiting",		U, UINT32_MAX,	   "requests that wait") \
	X(SINCE,	  "since",		U, UINT64_MAX,	   "CLOCK_MONOTONIC ns; in a row: wall clock, ms") \
	X(LACK,		  "lack",		W, 160,		   "instance:count, idle ones short of low") \
	X(WHY,		  "why",		W, 32,		   "reason, a word") \
	X(KEEPS,	  "keeps",		U, 1,		   "the worker keeps connections") \
	X(BYTE,		  "byte",		U, 1,		   "the first byte of the answer has come") \
	X(TO,		  "to",			W, 128,		   "name of the new holder") \
	X(UP,		  "up",			U, 1,		   "an instance of it is up") \
	X(LOW,		  "low",		U, 65535,	   "idle connections to hold per instance") \
	X(IDLE_MS,	  "idle-ms",		U, 2147483647,	   "idle longer than this: closed, 0 never") \
	X(TUNNELS,	  "tunnels",		U, 65535,	   "upgraded connections at most, per instance") \
	X(BEFORE,	  "before",		U, UINT64_MAX,	   "arrival of the oldest waiter elsewhere, ns") \
	X(BELOW,	  "below",		U, UINT64_MAX,	   "connection numbers under this are void") \
	X(ID,		  "id",			U, UINT32_MAX,	   "of the request; its answers repeat it") \
	X(REV,		  "rev",		U, UINT64_MAX,	   "revision") \
	X(FLOOR,	  "floor",		U, UINT64_MAX,	   "oldest revision a watch may start behind") \
	X(BOOT,		  "boot",		W, 64,		   "id of this boot of the host") \
	X(HOST,		  "host",		S, 255,		   "host name") \
	X(TABLE,	  "table",		W, 32,		   "one of VYX_TABLES") \
	X(TABLES,	  "tables",		W, 32,		   "a table to watch") \
	X(KEY,		  "key",		W, 1024,	   "of a row") \
	X(PREFIX,	  "prefix",		S, 1024,	   "keys that start so") \
	X(AFTER,	  "after",		S, 1024,	   "keys behind this one") \
	X(LIMIT,	  "limit",		U, 1000,	   "rows at most") \
	X(MORE,		  "more",		U, 1,		   "rows were left: ask after the last key") \
	X(FROM,		  "from",		U, UINT64_MAX,	   "revision applied last") \
	X(IF_REV,	  "if-rev",		U, UINT64_MAX,	   "only when this is its revision; 0: only when absent") \
	X(REPLACE_TABLE,  "replace-table",	W, 32,		   "rows of it not put again go") \
	X(REPLACE_OWNER,  "replace-owner",	W, 32,		   "those of this owner only") \
	X(SOURCE,	  "source",		W, 64,		   "who vouches for a seen row") \
	X(TEXT,		  "text",		S, 1048576,	   "for people; of a schema, the schema") \
	X(RETRY_MS,	  "retry-ms",		U, 3600000,	   "ask again after") \
	X(VALUE,	  "value",		S, 65536,	   "of a setting or figure") \
	X(OWNER,	  "owner",		W, 32,		   "conf, op or rpc") \
	X(SRC,		  "src",		S, 4096,	   "file:line it came from") \
	X(TLS,		  "tls",		U, 1,		   "TLS is taken off in front of it") \
	X(HTTP,		  "http",		W, 16,		   "1.1") \
	X(COMMAND,	  "command",		S, 8192,	   "words split at blanks") \
	X(DIR,		  "dir",		S, 4096,	   "working directory, absolute") \
	X(USER,		  "user",		S, 64,		   "name, uid or auto; empty: owner of dir") \
	X(UID,		  "uid",		U, UINT32_MAX,	   "numeric user") \
	X(ENV,		  "env",		S, 32768,	   "NAME=value, or NAME to inherit") \
	X(REPLICAS,	  "replicas",		U, 1000,	   "instances wanted") \
	X(STRATEGY,	  "strategy",		W, 16,		   "round-robin or least-loaded") \
	X(PROTOCOL,	  "protocol",		W, 16,		   "http or vyx") \
	X(MODE,		  "mode",		W, 16,		   "local or remote") \
	X(MIN_IDLE,	  "min-idle",		U, 65535,	   "warm connections per instance") \
	X(MIN_IDLE_EXPLICIT, "min-idle-explicit", U, 1,		   "min-idle was written, not the default") \
	X(MAX_SIZE,	  "max-size",		U, 65535,	   "connections per instance at most") \
	X(MAX_WAITING,	  "max-waiting",	U, 65535,	   "requests that may wait per router") \
	X(WAIT_MS,	  "wait-ms",		U, 2147483647,	   "longest wait for a connection") \
	X(STARTUP_MS,	  "startup-ms",		U, 2147483647,	   "time to become ready, 0: for ever") \
	X(SHUTDOWN_MS,	  "shutdown-ms",	U, 2147483647,	   "time to drain and stop, 0: 30 s") \
	X(HEALTH,	  "health",		S, 1024,	   "path asked until ready") \
	X(LOCALITY,	  "locality",		S, 64,		   "where it is") \
	X(EXPOSE,	  "expose",		U, 1,		   "offer it to other gateways") \
	X(DRAIN,	  "drain",		U, 1,		   "wanted to drain") \
	X(METHOD,	  "method",		W, 32,		   "or *") \
	X(PATH,		  "path",		S, 4096,	   "of a route; of a socket") \
	X(WORKER,	  "worker",		W, 64,		   "worker id") \
	X(VALIDATE,	  "validate",		S, 255,		   "schema name") \
	X(TYPE,		  "type",		S, 16,		   "api or page") \
	X(POLICY,	  "policy",		W, 16,		   "none: the worker does its own policy") \
	X(LIMITS,	  "limits",		S, 4096,	   "of the route") \
	X(HEADERS,	  "headers",		S, 16384,	   "of the route") \
	X(SHA256,	  "sha256",		W, 64,		   "hex") \
	X(CODE,		  "code",		W, 32,		   "exit:N or signal:N, of the last end") \
	X(RESTARTS,	  "restarts",		U, UINT32_MAX,	   "times it came back") \
	X(SPEC,		  "spec",		W, 64,		   "digest of the row it was made from") \
	X(KIND,		  "kind",		W, 16,		   "local, native or remote") \
	X(MAX,		  "max",		U, 65535,	   "connections at most") \
	X(WARM,		  "warm",		U, 65535,	   "connections to keep idle") \
	X(DRAINED,	  "drained",		U, 1,		   "no connection to it is left") \
	X(DOWN,		  "down",		U, 1,		   "it refuses connections") \
	X(PROGRAM,	  "program",		W, 32,		   "which of VYX_PROCS") \
	X(VERSION,	  "version",		W, 32,		   "of the program") \
	X(SLOT,		  "slot",		U, 1000,	   "slot number")

/* The words for a state, one list for the whole toolkit.
 *	  id	     word	 of			 means */
#define VYX_STATES(X) \
	X(STARTING,  "starting", "instance proc",	 "started, not ready yet") \
	X(READY,     "ready",	 "instance proc",	 "serves") \
	X(DRAINING,  "draining", "instance proc endpoint", "takes nothing new, finishes what it has") \
	X(DOWN,	     "down",	 "instance endpoint",	 "not running, and not meant to") \
	X(CRASHED,   "crashed",	 "instance",		 "ended by itself; code says how, restarts how often") \
	X(BACKOFF,   "backoff",	 "instance",		 "crashes in a row: waits before the next start") \
	X(FAILED,    "failed",	 "instance",		 "gave up: not ready in time, or cannot be started") \
	X(UP,	     "up",	 "endpoint",		 "may be dialled") \
	X(IDLE,	     "idle",	 "connection",		 "connected, nothing asked") \
	X(BUSY,	     "busy",	 "connection",		 "one exchange runs on it") \
	X(TUNNEL,    "tunnel",	 "connection",		 "upgraded: bytes both ways") \
	X(SYNCING,   "syncing",	 "source",		 "tells its rows") \
	X(SYNCED,    "synced",	 "source",		 "its rows are what there is") \
	X(STALE,     "stale",	 "source",		 "gone; its rows are kept and used")

/* clang-format on */

/* Limits of the record form, both ends. */
#define VYX_REC_FIELDS 64
#define VYX_REC_PACKET 8192
#define VYX_REC_STREAM 1048576

/* Other figures that more than one program must agree on. */
#define VYX_RUN_DEFAULT "/tmp/vyx"
#define VYX_PATH_MAX 107         /* of a socket: sun_path less its NUL */
#define VYX_BEAT_NS 1000000000   /* vyx-superv pings each daemon so often */
#define VYX_SILENT_NS 5000000000 /* and kills one silent for so long */

#endif
