/* The patch dialects of the API server, on cJSON trees; used by the embedded server. doc is changed in place
 * only when the whole patch applies (else it is as it was, and err says which operation failed). */
#ifndef API_PATCH_H
#define API_PATCH_H
#include "base/err.h"
#include "base/json.h"

int patch_json(cJSON **doc, const cJSON *ops, struct err *err);    /* RFC 6902, "test" included */
int patch_merge(cJSON **doc, const cJSON *patch, struct err *err); /* RFC 7396 */
/* Strategic merge for the types that we serve (containers, env, volumes, ports, conditions, ownerReferences,
 * ... by their merge keys; $patch: delete/replace, $setElementOrder, $deleteFromPrimitiveList, $retainKeys);
 * unknown lists are replaced. */
int patch_strategic(cJSON **doc, const cJSON *patch, const char *kind, struct err *err);
#endif
