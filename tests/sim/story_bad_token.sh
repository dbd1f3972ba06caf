# A token that the server does not accept: one clear message, no harm, and it recovers when the server accepts it again.
. "$SIM_DIR/lib.sh"
sim
fault '{"match":{'"$ours"'},"count":-1,"status":401}'
handover a
until_true 20 "the message" log_says a '401'
fault '{"clear":true}'
until_true 40 "a leads after all" leads a
