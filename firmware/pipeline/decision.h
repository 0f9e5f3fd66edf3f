/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_DECISION_H
#define PIPELINE_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From scores to a class. Scores are the model's int8 output. */
typedef struct {
    int32_t score : 24; /* the largest score, accepted or not; or what the app decides by in its place */
    uint32_t class_index : 8; /* 0 = Unknown, else index of the score + 1 */
} verdict_t;

#define DECISION_VOTES_MAX 10

typedef struct {
    uint8_t votes;                      /* last verdicts that vote, 1..DECISION_VOTES_MAX */
    uint8_t held;                       /* verdicts held, up to `votes` */
    uint8_t next;                       /* slot of the next verdict */
    uint8_t recent[DECISION_VOTES_MAX]; /* class_index of the last verdicts */
    bool gap;                           /* what smooths begins anew with the next scores, and clears this */
} decision_state_t;

typedef struct decision {
    size_t labels;
    const int32_t *initial_limits; /* a label each: accepted when score >= limit */
    int32_t *limits;               /* those in force */
    int32_t never;                 /* a limit above every score, 128 where scores are int8 */
    uint8_t initial_votes;
    decision_state_t *state;
    /* Takes the place of decision_compare(): decision_mean.h, decision_anomaly.h; NULL: none. */
    verdict_t (*smooth)(const struct decision *decision, const int8_t *scores);
    const void *smoothing; /* for it */
} decision_t;

/* Forgets past verdicts; settings stay. */
void decision_reset(const decision_t *decision);

/* The next scores do not follow the last ones: what smooths begins anew; verdicts go on voting. */
void decision_gap(const decision_t *decision);

/* Settings of the build come back, past verdicts are forgotten. */
void decision_restore(const decision_t *decision);

/* argmax (ties: lowest index), threshold, majority. */
verdict_t decision_compare(const decision_t *decision, const int8_t *scores);

/* That, or what the app smooths with. */
verdict_t decision_step(const decision_t *decision, const int8_t *scores);

/* false: out of range (limit -never..never, votes 1..DECISION_VOTES_MAX), unchanged. */
bool decision_set_threshold(const decision_t *decision, size_t label, int32_t limit);
bool decision_set_votes(const decision_t *decision, int32_t votes);

#endif
