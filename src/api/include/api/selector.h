/* Label selectors (text form and spec.selector form) and field selectors. */
#ifndef API_SELECTOR_H
#define API_SELECTOR_H
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

struct selector; /* NULL selects nothing, in all of these */
/* "a=b,c!=d,e in (x,y),f notin (z),g,!h,n>5,n<9" as Kubernetes' labels.Parse; "" selects all. */
int selector_parse(struct slice text, struct selector **ret, struct err *err);
/* {"matchLabels":{...},"matchExpressions":[...]}; an empty object selects all, NULL selects nothing. */
int selector_from_spec(const cJSON *spec, struct selector **ret, struct err *err);
/* labels: a JSON object of strings, NULL for none. */
bool selector_match(const struct selector *s, const cJSON *labels);
int selector_format(const struct selector *s, struct buf *out); /* text form, requirements in their order */
void selector_free(struct selector *s);
DEFINE_CLEANUP(struct selector *, selector, selector_free)

struct field_selector; /* "metadata.name=a,status.phase!=Running": dotted paths, =, ==, != */
int field_selector_parse(struct slice text, struct field_selector **ret, struct err *err);
bool field_selector_match(const struct field_selector *s, const cJSON *obj); /* an absent field is "" */
void field_selector_free(struct field_selector *s);
#endif
