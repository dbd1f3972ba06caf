/* SHA-256 and a short printable digest. */
#ifndef BASE_HASH_H
#define BASE_HASH_H
#include "base/buf.h"

void sha256_hex(struct slice in, char ret[65]);
/* HMAC-SHA256 */
void hash_hmac_hex(struct slice key, struct slice in, char ret[65]);
/* The first 10 letters of the digest in Kubernetes' safe alphabet (bcdfghjklmnpqrstvwxz2456789): fit for
 * object names. */
void hash_name(struct slice in, char ret[11]);
int base64_decode(struct slice in,
                  struct buf *out); /* standard alphabet, padding optional, blanks ignored; -EINVAL */
int base64_encode(struct slice in, struct buf *out);
#endif
