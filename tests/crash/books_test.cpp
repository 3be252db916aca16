// Goal: the comparison finds each kind of violation, and excuses only what a kill explains.
// Method: books of one event, written by hand; each test changes one thing.

#include "crash/books.h"

#include <gtest/gtest.h>

namespace eilpost::crash {
namespace {

using std::chrono::milliseconds;

Instant at(int ms) {
  return Instant(milliseconds(ms));
}

SeenRequest request(int received_ms, int answered_ms, int status = 200) {
  return {.received_at = at(received_ms), .answered_at = at(answered_ms), .status = status};
}

// One event, delivered at once; a kill at 1000 ms with a margin of 5 ms.
Books good_books() {
  Books books;
  books.events["e-1"] = {.is_acknowledged = true};
  books.seen["dl_1"] = {.event_id = "e-1", .requests = {request(10, 11)}};
  books.log = {{.id = "dl_1",
                .webhook_id = "dl_1",
                .event_id = "e-1",
                .state = "delivered",
                .attempts_count = 1,
                .statuses = std::vector{200}}};
  books.kills = {{.begun_at = at(1000), .ended_at = at(1002), .margin = milliseconds(5)}};
  return books;
}

TEST(CrashBooks, BooksThatAgreeHaveNoViolation) {
  const Verdict verdict = compare(good_books());
  EXPECT_TRUE(verdict.violations.empty());
  EXPECT_EQ(verdict.accepted, 1U);
  EXPECT_EQ(verdict.delivered, 1U);
}

TEST(CrashBooks, AnAcknowledgedEventThatNeverCameIsLost) {
  Books books = good_books();
  books.events["e-2"] = {.is_acknowledged = true};
  const Verdict verdict = compare(books);
  EXPECT_EQ(verdict.lost, 1U);
  EXPECT_EQ(verdict.violations.size(), 1U);
}

TEST(CrashBooks, AnEventWithoutAcknowledgementMayBeLost) {
  Books books = good_books();
  books.events["e-2"] = {};
  EXPECT_TRUE(compare(books).violations.empty());
}

TEST(CrashBooks, AnEventThatWasOnlyRefusedIsLost) {
  Books books = good_books();
  books.seen["dl_1"].requests[0].status = kRefused;
  EXPECT_EQ(compare(books).lost, 1U);
}

TEST(CrashBooks, AnEventThatWasNeverSentIsAViolation) {
  Books books = good_books();
  books.events.clear();
  EXPECT_EQ(compare(books).violations.size(), 1U);
}

TEST(CrashBooks, OneEventAsTwoDeliveriesIsAViolation) {
  Books books = good_books();
  books.seen["dl_2"] = {.event_id = "e-1", .requests = {request(20, 21)}};
  books.log.push_back(books.log.front());
  books.log.back().id = books.log.back().webhook_id = "dl_2";
  EXPECT_EQ(compare(books).violations.size(), 1U);
}

TEST(CrashBooks, ADuplicateThatNoKillExplainsIsAViolation) {
  Books books = good_books();
  books.seen["dl_1"].requests.push_back(request(1010, 1011));
  books.log[0].attempts_count = 2;
  books.log[0].statuses = {200, 200};
  EXPECT_EQ(compare(books).unexplained, 1U);
}

TEST(CrashBooks, ADuplicateOfWhatWasInFlightAtAKillIsExplained) {
  Books books = good_books();
  books.seen["dl_1"].requests = {{.received_at = at(999), .answered_at = {}, .status = 200},
                                 request(1010, 1011)};
  const Verdict verdict = compare(books);
  EXPECT_TRUE(verdict.violations.empty());
  EXPECT_EQ(verdict.duplicated, 1U);
  EXPECT_EQ(verdict.unrecorded, 1U);
}

TEST(CrashBooks, ADuplicateIsExplainedWithinTheDelayAndTheMarginOnly) {
  Books books = good_books();
  books.seen["dl_1"].requests = {request(970, 975), request(1010, 1011)};
  EXPECT_EQ(compare(books).duplicated, 1U);
  EXPECT_EQ(compare(books).explained_age_max, milliseconds(25));
  books.seen["dl_1"].requests = {request(970, 974), request(1010, 1011)};
  EXPECT_EQ(compare(books).unexplained, 1U);
}

TEST(CrashBooks, ADuplicateThatCameBeforeTheKillIsNotExplainedByIt) {
  Books books = good_books();
  books.seen["dl_1"].requests = {request(990, 991), request(995, 996)};
  EXPECT_EQ(compare(books).unexplained, 1U);
}

TEST(CrashBooks, ALaterKillExplainsNothingThatAnEarlierOneLeft) {
  Books books = good_books();
  books.kills.push_back({.begun_at = at(2000), .ended_at = at(2001), .margin = {}});
  books.seen["dl_1"].requests = {request(900, 901), request(2010, 2011)};
  EXPECT_EQ(compare(books).unexplained, 1U);
}

TEST(CrashBooks, ARetryAfterARefusalIsNoDuplicate) {
  Books books = good_books();
  books.seen["dl_1"].requests = {request(10, 11, kRefused), request(60, 61)};
  books.log[0].attempts_count = 2;
  books.log[0].statuses = {kRefused, 200};
  const Verdict verdict = compare(books);
  EXPECT_TRUE(verdict.violations.empty());
  EXPECT_EQ(verdict.duplicated, 0U);
}

TEST(CrashBooks, ADeliveryThatTheLogDoesNotCallDeliveredIsAViolation) {
  Books books = good_books();
  books.log[0].state = "retrying";
  EXPECT_EQ(compare(books).violations.size(), 1U);
}

TEST(CrashBooks, MoreAttemptsThanRequestsAreAViolation) {
  Books books = good_books();
  books.log[0].attempts_count = 2;
  EXPECT_EQ(compare(books).violations.size(), 1U);
}

TEST(CrashBooks, ARequestWithoutAnAttemptNeedsAKillNearIt) {
  Books books = good_books();
  books.seen["dl_1"].requests = {request(10, 11, kRefused), request(60, 61)};
  EXPECT_EQ(compare(books).violations.size(), 1U);
  books.seen["dl_1"].requests = {request(990, 991, kRefused), request(1060, 1061)};
  EXPECT_TRUE(compare(books).violations.empty());
}

TEST(CrashBooks, AnswersOnRecordMustBeThoseThatWereGiven) {
  Books books = good_books();
  books.log[0].statuses = {204};
  EXPECT_EQ(compare(books).violations.size(), 1U);
}

TEST(CrashBooks, WhatIsReceivedMustBeInTheLogAndTheOtherWayRoundOnce) {
  Books books = good_books();
  books.log.push_back(books.log.front());
  EXPECT_EQ(compare(books).violations.size(), 1U);
  books.log.clear();
  EXPECT_EQ(compare(books).violations.size(), 1U);
  books = good_books();
  books.log.push_back(books.log.front());
  books.log.back().id = books.log.back().webhook_id = "dl_2";
  EXPECT_EQ(compare(books).violations.size(), 1U);
}

// The same event owed to the failing receiver as well, which refused it four times.
Books failing_books() {
  Books books = good_books();
  books.events["e-1"].owed.push_back(Receiver::failing);
  books.seen["dl_2"] = {.event_id = "e-1", .receiver = Receiver::failing, .requests = {}};
  for (int i = 0; i < 4; ++i) {
    books.seen["dl_2"].requests.push_back(request(20 + (10 * i), 21 + (10 * i), kRefused));
  }
  books.log.push_back({.id = "dl_2",
                       .webhook_id = "dl_2",
                       .event_id = "e-1",
                       .state = "failed",
                       .attempts_count = 4,
                       .statuses = std::vector{kRefused, kRefused, kRefused, kRefused}});
  return books;
}

TEST(CrashBooks, ADeliveryThatIsAlwaysRefusedEndsAsFailed) {
  const Verdict verdict = compare(failing_books());
  EXPECT_TRUE(verdict.violations.empty());
  EXPECT_EQ(verdict.owed, 2U);
  EXPECT_EQ(verdict.delivered, 1U);
  EXPECT_EQ(verdict.ended, 1U);
}

TEST(CrashBooks, ARefusedDeliveryThatDidNotEndIsLost) {
  Books books = failing_books();
  books.log[1].state = "retrying";
  EXPECT_EQ(compare(books).lost, 1U);
}

TEST(CrashBooks, ARefusedDeliveryThatIsTriedTooOftenIsAViolation) {
  Books books = failing_books();
  books.seen["dl_2"].requests.push_back(request(80, 81, kRefused));
  books.log[1].attempts_count = 5;
  books.log[1].statuses->push_back(kRefused);
  EXPECT_EQ(compare(books).violations.size(), 1U);
  books.seen["dl_2"].requests.back() = request(990, 991, kRefused);
  EXPECT_TRUE(compare(books).violations.empty());
}

TEST(CrashBooks, AReceiverThatWasOwedNothingMustSeeNothing) {
  Books books = failing_books();
  books.events["e-1"].owed.pop_back();
  EXPECT_EQ(compare(books).violations.size(), 1U);
}

TEST(CrashBooks, AnEventWhoseBytesWereChangedMayBeLostButNotAnother) {
  Books books = good_books();
  books.events["e-2"] = {.is_acknowledged = true, .is_damaged = true};
  Verdict verdict = compare(books);
  EXPECT_TRUE(verdict.violations.empty());
  EXPECT_EQ(verdict.damaged, 1U);
  EXPECT_EQ(verdict.lost, 0U);
  books.events["e-3"] = {.is_acknowledged = true};
  EXPECT_EQ(compare(books).lost, 1U);
}

TEST(CrashBooks, AnAttemptWithoutAnAnswerNeedsNoRequest) {
  Books books = good_books();
  books.log[0].attempts_count = 3;
  books.log[0].statuses = {0, 0, 200};
  EXPECT_TRUE(compare(books).violations.empty());
  books.log[0].statuses = {200, 0, 200};
  EXPECT_FALSE(compare(books).violations.empty());
}

// A record may be damaged long after it was made: a trouble that ends with a kill began before it.
TEST(CrashBooks, ATroubleThatEndsWithAKillExplainsWhatItCovers) {
  Books books = good_books();
  books.kills.insert(books.kills.begin(), {.begun_at = at(5), .ended_at = at(1003), .margin = {}});
  books.seen["dl_1"].requests.push_back(request(1010, 1011));
  EXPECT_TRUE(compare(books).violations.empty());
  EXPECT_EQ(compare(books).duplicated, 1U);
}

TEST(CrashBooks, ARemarkIsAViolation) {
  Books books = good_books();
  books.remarks.emplace_back("it never came to the point");
  EXPECT_EQ(compare(books).violations.size(), 1U);
}

}  // namespace
}  // namespace eilpost::crash
