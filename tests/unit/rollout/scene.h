/* Scenes of the model as a script of steps, and test cases of them:
 *
 *   PLAY(pause_and_resume, m_soaking(3), "act pause 1|run 900|is Soaking PausedByUser|act resume 1|until Stable 60|all 1 3")
 *
 * V is a version, N a number; what a step may be:
 *   image V, scale N, pause, unpause, set ANNOTATION TEXT, unset ANNOTATION, act ACTION V     what a user does
 *   fails V, crashes V, ... (enum behaviour), asked V                                what pods do; V may ship without a verdict
 *   policy, no-policy                          handover-hold is installed, is deleted
 *   notation, leaves-with V, replace           the template's text is another, its meaning is not; canary-percent goes and the image changes
 *                                              in one write; kubectl replace without pause and mark
 *   older, newer                               the process is of a version that does not know the policy, and of this one again
 *   lose V                                     the ReplicaSet of the version is deleted, with its pods
 *   run N (ticks, with passes), tick N (without), until PHASE N (within N ticks), killed      time goes by
 *   is PHASE [HOLD], phase PHASE (whatever the hold), ended RESULT                            what must be then
 *   paused, unpaused, held (paused, no progress deadline), left (nothing of ours is there), deadline N, active N
 *   rests, marked                              nothing of ours is on it; paused and marked
 *   own V N, canary V N, all V N               so many ready pods of the version: stable's kind, a canary's, those and no others
 *   quarantined V, trusted V, event REASON, no-event REASON, absent ANNOTATION
 *   status TEXT, message TEXT, reason TEXT     the text is in the annotation, the state, the last of the history
 *   partition N or held, at N, current V             of a StatefulSet: another client sets its partition; what that is; its current revision
 *   check SAYS, query SAYS                     what the target's checks answer from now on: nothing, pass, fail, wait, silent
 *   asks N                                     the URL was asked so often
 *   plays new|control BEHAVIOUR               how that side of a rehearsal behaves, instead of as its version does
 *   finds KIND N|nothing|idle|cut-off, mute, answers   what a rehearsal reports; that it does not
 *   sidecar-ends, sidecar-restarts            the new side's pod is lost; its sidecar is started again
 *   approve [DIGEST]                           the report's by default
 *   rehearses N, kept, forgotten               so many ReplicaSets of a rehearsal; the report's ConfigMap is there, is not
 *   idle N                                     nothing is written in so many ticks
 */
#ifndef TEST_ROLLOUT_SCENE_H
#define TEST_ROLLOUT_SCENE_H
#include "../case.h"
#include "model.h"

/* A case with a model of its own. */
#define SCENE(name, make) CASE_OF(struct model, m, make, m_free, name)
/* A case that is a script alone. */
#define PLAY(name, make, steps)                                                                              \
    SCENE(name, make) {                                                                                      \
        m_play(m, steps);                                                                                    \
    }
#endif
