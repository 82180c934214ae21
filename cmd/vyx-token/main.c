/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/prog.h"
#include "base/units.h"
#include "state/jwt.h"
#include "token.h"

#define REFUSED 1
#define AUDIENCES 16

static const struct vyx_prog prog = { "vyx-token", "aK",
	"mint [CLAIM=VALUE...] | verify [RULE=VALUE...]",
	"makes and checks JSON Web Tokens",
	"  mint    prints a token of the claims, else of the JSON object on\n"
	"          standard input; -K has the secret, or a private key in PEM\n"
	"  verify  checks the tokens on standard input, one a line, and "
	"prints\n"
	"          their claims; -K has the secret, a public key in PEM or a\n"
	"          JWKS; -a may be a list, as RS256,ES256\n" };

void
read_all(const char *path, int fd, struct vyx_buf *b, int status)
{
	ssize_t r;

	b->max = VYX_JWT_TEXT_MAX;
	do {
		if (!vyx_buf_room(b, 4096))
			vyx_die(status, "%s: too long", path);
		r = read(fd, b->p + b->n, 4096);
		if (r < 0 && errno != EINTR)
			vyx_die_sys(status, "%s", path);
		b->n += r > 0 ? (size_t)r : 0;
	} while (r);
}

/* What -K has. A newline at the end of a secret is the editor's. */
static void
read_key(const struct vyx_opt *o, unsigned algs, struct vyx_buf *b)
{
	int fd;

	if (!o->key)
		vyx_die(VYX_USAGE, "-K is needed: the file with the key");
	if ((fd = open(o->key, O_RDONLY | O_CLOEXEC)) < 0)
		vyx_die_sys(VYX_CONFIG, "%s", o->key);
	read_all(o->key, fd, b, VYX_CONFIG);
	close(fd);
	if ((algs & VYX_JWT_HMAC) && b->n && b->p[b->n - 1] == '\n')
		b->n--;
}

static unsigned
algorithms(const char *list)
{
	struct vyx_str s = VYX_STRZ(list ? list : "HS256");
	unsigned mask = 0;

	while (s.p) {
		struct vyx_str one = vyx_str_cut(&s, ',');
		enum vyx_jwt_alg a = vyx_jwt_alg_scan(one);

		if (a == VYX_JWT_NONE)
			vyx_die(VYX_USAGE,
			    "-a %s: there are HS256, HS384, "
			    "HS512, RS256 and ES256",
			    list);
		mask |= VYX_JWT_BIT(a);
	}
	if ((mask & VYX_JWT_HMAC) && (mask & ~VYX_JWT_HMAC))
		vyx_die(VYX_USAGE,
		    "-a %s: no key can be a secret and a public key", list);
	return mask;
}

static int
mint(const struct vyx_opt *o, char *const *words, int n)
{
	unsigned algs = algorithms(o->alg);
	enum vyx_jwt_alg alg = VYX_JWT_HS256;
	struct vyx_buf key = { .max = 0 }, in = { .max = 0 },
	               out = { .max = 0 };
	struct vyx_str kid = { "", 0 };
	struct vyx_jwt_signer *s;
	const char *why;

	while (!(algs & VYX_JWT_BIT(alg)))
		alg++;
	if (algs != VYX_JWT_BIT(alg))
		vyx_die(VYX_USAGE, "-a %s: mint takes one", o->alg);
	read_key(o, algs, &key);
	if ((s = vyx_jwt_signer_new(alg, vyx_buf_str(&key), &why)) == NULL)
		vyx_die(VYX_CONFIG, "%s: %s", o->key, why);
	if (n && !strncmp(words[0], "kid=", 4)) {
		kid = VYX_STRZ(words[0] + 4);
		words++;
		n--;
	}
	if (n) {
		in.p = claims_of(words, n, time(NULL));
		in.n = strlen(in.p);
	} else
		read_all("standard input", STDIN_FILENO, &in, VYX_SYSTEM);
	if (!vyx_jwt_sign(s, vyx_buf_str(&in), kid, &out))
		vyx_die(VYX_USAGE, "%s",
		    errno == EMSGSIZE ? "the token would be too long"
		                      : "the claims are no JSON object");
	printf("%.*s\n", (int)out.n, out.p);
	vyx_buf_free(&out);
	free(in.p);
	explicit_bzero(key.p, key.n);
	vyx_buf_free(&key);
	vyx_jwt_signer_free(s);
	return 0;
}

/* One operand of verify into the rules; `now` is 0 where none is said. */
static void
rule(const char *word, struct vyx_jwt_rules *r, struct vyx_str *audience,
    int64_t *now)
{
	struct vyx_str v = VYX_STRZ(word), name = vyx_str_cut(&v, '=');
	int64_t ns;

	if (!v.p)
		vyx_die(VYX_USAGE, "%s: not of the form rule=value", word);
	if (vyx_str_eq(name, VYX_STR("iss"))) {
		r->issuer = v;
		return;
	}
	if (vyx_str_eq(name, VYX_STR("aud")) && r->n_audience < AUDIENCES) {
		audience[r->n_audience++] = v;
		return;
	}
	if (vyx_str_eq(name, VYX_STR("exp")) &&
	    vyx_str_eq(v, VYX_STR("optional"))) {
		r->require_exp = 0;
		return;
	}
	if (vyx_str_eq(name, VYX_STR("leeway")) && vyx_dur_scan(v, &ns) &&
	    ns >= 0 && ns / VYX_NS_S <= INT32_MAX) {
		r->leeway_s = ns / VYX_NS_S;
		return;
	}
	if (vyx_str_eq(name, VYX_STR("now")) && time_of(v, time(NULL), now))
		return;
	vyx_die(VYX_USAGE,
	    "%s: the rules are iss, aud, leeway=5s, exp=optional, now=time",
	    word);
}

static void
left_out(void *arg, size_t i, const char *why)
{
	fprintf(stderr, "vyx-token: %s: key %zu is left out: %s\n",
	    (const char *)arg, i, why);
}

static struct vyx_jwt_keys *
keys_of(const struct vyx_opt *o, unsigned algs)
{
	struct vyx_buf b = { .max = 0 };
	struct vyx_jwt_keys *k;
	const char *why;
	char *name = (char *)(uintptr_t)o->key;

	read_key(o, algs, &b);
	if (algs & VYX_JWT_HMAC)
		k = vyx_jwt_keys_secret(vyx_buf_str(&b), &why);
	else if (b.n && strchr("{ \t\r\n", *b.p))
		k = vyx_jwt_keys_jwks(vyx_buf_str(&b), left_out, name, &why);
	else
		k = vyx_jwt_keys_pem(vyx_buf_str(&b), &why);
	if (!k)
		vyx_die(VYX_CONFIG, "%s: %s", o->key, why);
	if (!(vyx_jwt_keys_algs(k) & algs)) {
		vyx_jwt_keys_free(k);
		vyx_die(VYX_CONFIG, "%s: no key for %s", o->key, o->alg);
	}
	explicit_bzero(b.p, b.n);
	vyx_buf_free(&b);
	return k;
}

static int
verify(const struct vyx_opt *o, char *const *words, int n)
{
	struct vyx_str audience[AUDIENCES];
	struct vyx_jwt_rules r = { .require_exp = 1, .audience = audience };
	struct vyx_jwt_keys *k;
	char *line = NULL, *text;
	size_t cap = 0, count = 0;
	int64_t now = 0;
	ssize_t len;
	int status = 0;

	r.algs = algorithms(o->alg);
	for (int i = 0; i < n; i++)
		rule(words[i], &r, audience, &now);
	k = keys_of(o, r.algs);
	setlinebuf(stdout);
	while ((len = getline(&line, &cap, stdin)) > 0) {
		struct vyx_str t = { line, (size_t)len };
		struct vyx_jwt_claims c;
		enum vyx_jwt_got got;

		t.n -= line[len - 1] == '\n';
		count++;
		got = vyx_jwt_check(k, &r, t, now ? now : time(NULL), &c);
		if (got != VYX_JWT_OK) {
			fprintf(stderr, "vyx-token: line %zu: %s\n", count,
			    vyx_jwt_why(got));
			status = REFUSED;
			continue;
		}
		if ((text = json_dumps(c.all, JSON_COMPACT)) != NULL)
			puts(text);
		free(text);
		vyx_jwt_claims_free(&c);
	}
	if (ferror(stdin))
		vyx_die_sys(VYX_SYSTEM, "cannot read");
	free(line);
	vyx_jwt_keys_free(k);
	return count ? status : REFUSED;
}

int
main(int argc, char **argv)
{
	struct vyx_opt o;
	const char *word;
	int i = vyx_prog_command(&prog, &o, argc, argv, &word), status;

	if (!strcmp(word, "mint"))
		status = mint(&o, argv + i, argc - i);
	else if (!strcmp(word, "verify"))
		status = verify(&o, argv + i, argc - i);
	else
		vyx_die(VYX_USAGE, "%s: no such command: %s", word,
		    prog.operands);
	if (fflush(stdout) || ferror(stdout))
		vyx_die_sys(VYX_SYSTEM, "cannot write");
	return status;
}
