#include "store/frame_writer.h"

#include "base/probe.h"
#include "store/journal.h"

namespace eilpost::store {

std::size_t frame_bytes_of(const Letter& letter) {
  if (const auto* request = std::get_if<Request>(&letter)) {
    return request->bytes.size() + request->parts.size() * Journal::kRecordOverheadBytes;
  }
  if (const auto* note = std::get_if<Note>(&letter)) {
    return note->record.size() + Journal::kRecordOverheadBytes;
  }
  if (const auto* notes = std::get_if<Notes>(&letter)) {
    return notes->bytes.size() + notes->record_bytes.size() * Journal::kRecordOverheadBytes;
  }
  return 0;
}

void FrameWriter::collect(Position end) {
  records_.clear();
  for (Letter& letter : letters_) {
    if (auto* note = std::get_if<Note>(&letter)) {
      records_.emplace_back(note->record);
    } else if (auto* notes = std::get_if<Notes>(&letter)) {
      collect_notes(*notes);
    } else if (auto* request = std::get_if<Request>(&letter); request && !is_refused_) {
      collect_request(*request, end);
    }
  }
}

void FrameWriter::collect_notes(const Notes& notes) {
  std::size_t offset = 0;
  for (const std::size_t size : notes.record_bytes) {
    records_.push_back(ByteView(notes.bytes).subspan(offset, size));
    offset += size;
  }
}

void FrameWriter::collect_request(Request& request, Position end) {
  Answer answer{.request = &request, .records = {}};
  answer.records.reserve(request.parts.size());
  std::size_t offset = 0;
  for (const Request::Part& part : request.parts) {
    const ByteView record = ByteView(request.bytes).subspan(offset, part.record_bytes);
    offset += part.record_bytes;
    if (part.fingerprint && repeats_.is_known(*part.fingerprint)) {
      EILPOST_PROBE("store.repeat_recognised");
      answer.records.push_back(kRepeat);
      continue;
    }
    if (part.fingerprint) {
      repeats_.remember(*part.fingerprint, end);
      remembered_.push_back(*part.fingerprint);
    }
    answer.records.push_back(records_.size());
    records_.push_back(record);
  }
  answers_.push_back(std::move(answer));
}

void FrameWriter::refuse_requests() {
  for (const Hash128 fingerprint : remembered_) repeats_.forget(fingerprint);
  remembered_.clear();
  for (Answer& answer : answers_) {
    add_post(*answer.request->loop, std::move(answer.request->done),
             {.status = AcceptStatus::full, .sequences = {}});
  }
  answers_.clear();
  is_refused_ = true;
}

void FrameWriter::complete(std::span<const Position> positions, EventCache& cache) {
  for (Answer& answer : answers_) {
    Request& request = *answer.request;
    Accepted accepted;
    accepted.sequences.reserve(answer.records.size());
    for (std::size_t i = 0; i < answer.records.size(); ++i) {
      if (answer.records[i] == kRepeat) {
        accepted.sequences.emplace_back();
        continue;
      }
      const Position sequence = positions[answer.records[i]];
      accepted.sequences.emplace_back(sequence);
      auto& event = request.parts[i].event;
      if (event != nullptr) cache.put(sequence, std::move(event));
    }
    add_post(*request.loop, std::move(request.done), std::move(accepted));
  }
  for (Letter& letter : letters_) {
    if (auto* flush = std::get_if<Flush>(&letter)) {
      post_of(*flush->loop).flushed.push_back(std::move(flush->done));
    }
  }
  send_posts();
}

std::vector<Letter> FrameWriter::give_back() {
  send_posts();
  std::vector<Letter> rest;
  for (Letter& letter : letters_) {
    if (!std::holds_alternative<Request>(letter)) rest.push_back(std::move(letter));
  }
  return rest;
}

void FrameWriter::add_post(env::Loop& loop, std::move_only_function<void(Accepted)> done,
                           Accepted accepted) {
  post_of(loop).accepted.emplace_back(std::move(done), std::move(accepted));
}

FrameWriter::Post& FrameWriter::post_of(env::Loop& loop) {
  for (Post& post : posts_) {
    if (post.loop == &loop) return post;
  }
  return posts_.emplace_back(Post{.loop = &loop, .accepted = {}, .flushed = {}});
}

void FrameWriter::send_posts() {
  for (Post& post : posts_) {
    env::Loop& loop = *post.loop;
    loop.post([post = std::move(post)]() mutable {
      for (auto& [done, accepted] : post.accepted) done(std::move(accepted));
      for (auto& done : post.flushed) done();
    });
  }
  posts_.clear();
}

}  // namespace eilpost::store
