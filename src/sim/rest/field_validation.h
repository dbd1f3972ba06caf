/* fieldValidation: what becomes of members that the type does not have, and of those given twice. They are dropped in any
 * case; a server since 1.25 says so in Warning headers, and with Strict refuses the request. */
#ifndef SIM_FIELD_VALIDATION_H
#define SIM_FIELD_VALIDATION_H
#include "rest/rest.h"

/* A whole object as it came. 400 */
int field_validation_object(struct call *c, cJSON *obj);
/* An object as a patch has made it, before anything is added. 422 */
int field_validation_patched(struct call *c, cJSON *obj, const cJSON *patch);
/* A configuration to be applied may have no member that the type lacks, whatever the query says. 400 */
int field_validation_applied(struct call *c, cJSON *config);
#endif
