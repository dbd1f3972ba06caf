/* Kubernetes' protobuf encoding of request bodies: kubectl's typed clients write it even where they are
 * answered in JSON. */
#ifndef SIM_PROTOBUF_H
#define SIM_PROTOBUF_H
#include "api/proto.h"
#include "store/json_doc.h"
#include "store/api_status.h"

proto_find pb_message_find;
/* "k8s\0" and a runtime.Unknown with the object in it. */
int pb_parse(struct slice body, cJSON **ret, struct api_status *f);
#endif
