/* SPDX-License-Identifier: ISC */
/* run - the scripts of an instance. They need nobody of us at run time: a
 * worker is restarted, rested and cleaned up while vyx-superv is away. */
#include <unistd.h>

#include "superv.h"

#define LIVED "10" /* seconds: an end after that is not one of a row */
#define REST_MAX "30"

/* A word of sh that stands for exactly `w`. */
static void
quote(struct vyx_buf *b, struct vyx_str w)
{
	vyx_buf_putc(b, '\'');
	for (size_t i = 0; i < w.n; i++)
		if (w.p[i] == '\'')
			vyx_buf_puts(b, "'\\''");
		else
			vyx_buf_putc(b, w.p[i]);
	vyx_buf_putc(b, '\'');
}

static void
quotez(struct vyx_buf *b, const char *z)
{
	quote(b, VYX_STRZ(z));
}

static void
socket_of(struct vyx_buf *b, const struct superv *s, const struct inst *n)
{
	vyx_buf_fmt(b, "%s/%s/s", s->w, n->name);
}

static void
quote_socket(struct vyx_buf *b, const struct superv *s, const struct inst *n)
{
	struct vyx_buf path = { 0 };

	socket_of(&path, s, n);
	quote(b, vyx_buf_str(&path));
	vyx_buf_free(&path);
}

/* A word of the command, its {socket} and {fd} replaced. */
static void
command_word(struct vyx_buf *b, const struct superv *s, const struct inst *n,
    struct vyx_str w)
{
	struct vyx_buf out = { 0 };

	while (w.n) {
		if (vyx_str_starts(w, VYX_STR("{socket}"))) {
			socket_of(&out, s, n);
			w.p += 8;
			w.n -= 8;
		} else if (vyx_str_starts(w, VYX_STR("{fd}"))) {
			vyx_buf_putc(&out, '3');
			w.p += 4;
			w.n -= 4;
		} else {
			vyx_buf_putc(&out, *w.p++);
			w.n--;
		}
	}
	quote(b, vyx_buf_str(&out));
	vyx_buf_free(&out);
}

static void
command(struct vyx_buf *b, const struct superv *s, const struct inst *n,
    const char *c)
{
	while (*(c += strspn(c, " \t\r\n"))) {
		size_t len = strcspn(c, " \t\r\n");

		vyx_buf_putc(b, ' ');
		command_word(b, s, n, (struct vyx_str){ c, len });
		c += len;
	}
	vyx_buf_putc(b, '\n');
}

static void
as_user(struct vyx_buf *b, const struct superv *s, const struct who *u)
{
	if (s->root)
		vyx_buf_fmt(b, "s6-applyuidgid -u %u -g %u -G %s \\\n    ",
		    (unsigned)u->uid, (unsigned)u->gid, u->groups);
}

void
run_script(struct vyx_buf *b, const struct superv *s, const struct inst *n,
    const struct work *w, const struct who *u)
{
	vyx_buf_fmt(b,
	    "#!/bin/sh\n"
	    "# %s: written by vyx-superv from the row `worker %s`.\n"
	    "exec 2>&1 </dev/null\n"
	    "umask 007\n"
	    "echo $$ >data/pid\n"
	    "ends=0 row=0\n"
	    "[ ! -r data/ends ] || read -r ends row code <data/ends\n"
	    "if [ \"$row\" -gt 0 ]; then\n"
	    "\trest=1\n"
	    "\twhile [ \"$row\" -gt 1 ] && [ $rest -lt " REST_MAX " ]; do\n"
	    "\t\trest=$((rest * 2)) row=$((row - 1))\n"
	    "\tdone\n"
	    "\t[ $rest -le " REST_MAX " ] || rest=" REST_MAX "\n"
	    "\techo $rest >data/wait\n"
	    "\tsleep $rest\n"
	    "\trm -f data/wait\n"
	    "fi\n"
	    "read -r up _ </proc/uptime && echo \"${up%%%%.*}\" >data/since\n",
	    n->id, n->worker);
	if (!n->fd) {
		vyx_buf_puts(b, "rm -f -- ");
		quote_socket(b, s, n);
		vyx_buf_putc(b, '\n');
	}
	/* what the starter of the tree had open is none of the worker's; 7 is
	 * the notification's. dash itself closes only descriptors up to 9. */
	vyx_buf_puts(b,
	    "PATH=$PATH:/usr/lib/execline/bin # fdclose, under Debian\n"
	    "set --\n"
	    "for f in /proc/$$/fd/*; do\n"
	    "\tf=${f##*/}\n"
	    "\t[ $f -le 2 ] || [ $f = 7 ] || set -- fdclose $f \"$@\"\n"
	    "done\n"
	    "exec \"$@\" env -i PATH=\"$PATH\" VYX_RUN=");
	quotez(b, s->run);
	vyx_buf_puts(b,
	    " \\\n    s6-notifyoncheck -d -n 0 -w 100 -t 2000 \\\n    ");
	if (n->fd) {
		vyx_buf_fmt(b, "vyx-bind -i 'w:%s' ", n->id);
		quote_socket(b, s, n);
		vyx_buf_puts(b, " \\\n    ");
	}
	as_user(b, s, u);
	vyx_buf_puts(b, "env -u VYX_RUN -C ");
	quotez(b, *w->dir ? w->dir : "/");
	vyx_buf_puts(b, " s6-envdir -fn ");
	vyx_buf_putc(b, '"');
	vyx_buf_puts(b, "$PWD/env\" \\\n    sh -c 'exec \"$@\"' sh");
	command(b, s, n, w->command);
}

void
run_check(struct vyx_buf *b, const struct superv *s, const struct inst *n,
    const struct work *w, const struct who *u)
{
	vyx_buf_puts(b, "#!/bin/sh\n");
	if (!n->fd || *w->health) {
		vyx_buf_puts(b, "exec ");
		/* its socket may be a link of its to somebody else's; that of
		 * {fd} is ours, and not for its user to connect to */
		if (!n->fd)
			as_user(b, s, u);
		vyx_buf_puts(b, "vyx-probe ");
		quote_socket(b, s, n);
		vyx_buf_putc(b, ' ');
		if (*w->health)
			quotez(b, w->health);
		vyx_buf_putc(b, '\n');
		return;
	}
	/* the socket takes connections before the worker is there: only an
	 * answer, whatever its status, shows that somebody reads them */
	vyx_buf_puts(b, "why=$(vyx-probe -v ");
	quote_socket(b, s, n);
	vyx_buf_puts(b,
	    " / 2>&1) && exit 0\n"
	    "case $why in\n"
	    "*': '[1-5][0-9][0-9]) exit 0 ;;\n"
	    "esac\n"
	    "exit 1\n");
}

void
run_finish(struct vyx_buf *b)
{
	vyx_buf_puts(b,
	    "#!/bin/sh\n"
	    "# The whole process group ends with its leader.\n"
	    "rm -f data/wait\n"
	    "pid= ends=0 row=0 since=0\n"
	    "[ ! -r data/pid ] || read -r pid <data/pid\n"
	    "if [ -n \"$pid\" ] && kill -TERM \"-$pid\" 2>/dev/null; then\n"
	    "\ti=0\n"
	    "\twhile [ $i -lt 20 ] && kill -0 \"-$pid\" 2>/dev/null; do\n"
	    "\t\tsleep 0.05\n"
	    "\t\ti=$((i + 1))\n"
	    "\tdone\n"
	    "\tkill -KILL \"-$pid\" 2>/dev/null\n"
	    "fi\n"
	    "[ ! -r data/ends ] || read -r ends row code <data/ends\n"
	    "[ ! -r data/since ] || read -r since <data/since\n"
	    "read -r up _ </proc/uptime\n"
	    "if [ $((${up%%.*} - since)) -ge " LIVED " ]; then row=0; "
	    "else row=$((row + 1)); fi\n"
	    "code=exit:$1\n"
	    "[ \"$1\" != 256 ] || code=signal:$2\n"
	    "echo \"$((ends + 1)) $row $code\" >data/ends.new\n"
	    "mv data/ends.new data/ends\n"
	    "rm -f data/since data/pid\n");
}

void
run_log(struct vyx_buf *b, const struct superv *s, const struct inst *n,
    const struct who *u)
{
	struct vyx_buf dir = { 0 };

	/* it has the worker's user, who can read its environment */
	vyx_buf_puts(b, "#!/bin/sh\nexec env -i PATH=\"$PATH\" ");
	as_user(b, s, u);
	vyx_buf_puts(b, "s6-log -d3 n5 s1000000 ");
	vyx_buf_fmt(&dir, "%s/log/%s", s->run, n->name);
	quote(b, vyx_buf_str(&dir));
	vyx_buf_putc(b, '\n');
	vyx_buf_free(&dir);
}
