// Goal: the catalog is what the specification says, row by row.
// Method: the specification's table, written down here a second time.

#include "model/catalog.h"

#include <gtest/gtest.h>
#include <set>
#include <simdjson.h>

#include "model/event_document.h"

namespace eilpost {
namespace {

struct Row {
  std::string_view code;
  std::string_view en;
  std::string_view de;
  std::string_view properties;  // path:type, behind oId and oName where `has_item`
  bool has_item = true;
};

constexpr std::string_view kGoal = "goal.id:id goal.name:string";
constexpr std::string_view kCourse = "course.id:id course.name:string";
constexpr std::string_view kResult =
    "course.id:id course.name:string quiz.id:id quiz.name:string quiz.score:number "
    "quiz.passmark:number";

constexpr Row kRows[] = {
    {"smart_walk_thru.step_played", "Smart Walk-Thru step played",
     "Smart Walk-Thru-Schritt abgespielt", "step.id:id step.name:string step.number:integer"},
    {"smart_walk_thru.goal_reached", "Smart Walk-Thru goal reached",
     "Smart Walk-Thru-Ziel erreicht", kGoal},
    {"smart_walk_thru.started", "Smart Walk-Thru started", "Smart Walk-Thru gestartet",
     "type:string initiator:string"},
    {"smart_walk_thru.failed", "Smart Walk-Thru failed", "Smart Walk-Thru fehlgeschlagen",
     "error.reason:string"},
    {"launcher.clicked", "Launcher clicked", "Launcher angeklickt", ""},
    {"onboarding.task_completed", "Onboarding task completed", "Onboarding-Aufgabe abgeschlossen",
     "task.id:id task.name:string progress:number"},
    {"shoutout.action_clicked", "ShoutOut action clicked", "ShoutOut-Aktion geklickt",
     "action.id:id action.name:string"},
    {"shoutout.dismissed", "ShoutOut dismissed", "ShoutOut verworfen", ""},
    {"shoutout.goal_reached", "ShoutOut goal reached", "ShoutOut-Goal erreicht", kGoal},
    {"shoutout.displayed", "ShoutOut displayed", "ShoutOut angezeigt", ""},
    {"smart_tip.message_displayed", "SmartTip message displayed", "SmartTip-Nachricht angezeigt",
     "element.name:string"},
    {"smart_tip.validation_failed", "SmartTip validation failed", "SmartTip-Validierungsfehler",
     "element.name:string rule.name:string rule.message:string"},
    {"survey.question_answered", "Survey question answered", "Survey-Frage beantwortet",
     "value:any survey.id:id survey.name:string"},
    {"survey.dismissed", "Survey dismissed", "Survey verworfen", ""},
    {"survey.submitted", "Survey submitted", "Survey übermittelt", "answers:array nps:integer"},
    {"menu.opened", "Menu opened", "Menü geöffnet", "", false},
    {"menu.searched", "Menu search", "Menüsuche", "search.term:string search.results:integer",
     false},
    {"menu.item_selected", "Menu item selected", "Menüpunkt ausgewählt",
     "search.term:string item.type:string"},
    {"shuttle.goal_reached", "Shuttle goal reached", "Shuttle-Ziel erreicht",
     "goal.id:id goal.name:string url:string"},
    {"resource.clicked", "Resource clicked", "Resource angeklickt",
     "resource.type:string url:string"},
    {"resource.goal_reached", "Resource goal reached", "Resource-Ziel erreicht", kGoal},
    {"teachme.visible", "TeachMe visible", "TeachMe war sichtbar", kCourse},
    {"teachme.step_started", "TeachMe step started", "TeachMe-Schritt gestartet",
     "course.id:id course.name:string step.id:id step.name:string"},
    {"teachme.course_started", "TeachMe course started", "TeachMe-Kurs gestartet", kCourse},
    {"teachme.course_completed", "TeachMe course completed", "TeachMe-Kursabschluss", kCourse},
    {"teachme.quiz_played", "Quiz played", "Quiz abgespielt",
     "course.id:id course.name:string quiz.id:id quiz.name:string"},
    {"teachme.quiz_submitted", "Quiz submitted", "Quiz eingereicht", kResult},
    {"teachme.quiz_passed", "Quiz passed", "Quiz bestanden", kResult},
    {"teachme.quiz_failed", "Quiz failed", "Quiz nicht bestanden", kResult},
    {"dxa.click", "Click/Tap", "Click/Tap",
     "element.tag:string element.selector:string element.xpath:string element.text:string "
     "element.name:string element.title:string element.label:string misc.type:string",
     false},
    {"dxa.input", "User input", "Benutzereingabe",
     "element.tag:string element.selector:string element.xpath:string element.text:string "
     "element.name:string element.title:string element.label:string misc.type:string "
     "element.value:string",
     false},
    {"dxa.page_view", "Page view", "Page View", "ctx.timing.loadTime:integer", false},
};

constexpr std::string_view kCommon =
    "event.id:string event.type:string event.name:string event.time:string "
    "event.received_at:string created_at:integer sId:string wm.euId:string wm.euIdSource:string "
    "wm.language:string wm.platform:string wm.envName:string wm.env:integer wm.userVars.*:scalar "
    "env.browser.name:string env.browser.version:string env.os.name:string env.os.version:string "
    "env.screen.width:integer env.screen.height:integer env.mobile:boolean env.timezone:integer "
    "ctx.location.protocol:string ctx.location.hostname:string ctx.location.pathname:string "
    "ctx.location.search:string ctx.title:string ctx.referrer:string ctx.visitId:string "
    "ctx.isIframe:boolean";

std::string list(const std::vector<PropertyDeclaration>& properties) {
  std::string text;
  for (const PropertyDeclaration& property : properties) {
    if (!text.empty()) text += ' ';
    text += property.path;
    text += ':';
    text += to_string(property.type);
  }
  return text;
}

TEST(Catalog, HasEveryRowOfTheSpecification) {
  const Catalog catalog;
  ASSERT_EQ(catalog.types().size(), std::size(kRows) + 5);  // Eilpost's own come behind.
  ASSERT_EQ(std::size(kRows), 32U);
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    const Row& row = kRows[i];
    const EventType& type = catalog.types()[i];
    EXPECT_EQ(type.code, row.code);
    EXPECT_EQ(catalog.find(row.code), &type);
    EXPECT_EQ(type.label.en, row.en);
    EXPECT_EQ(type.label.de, row.de);
    EXPECT_EQ(type.group, row.code.substr(0, row.code.find('.')));
    EXPECT_FALSE(type.is_custom);
    std::string expected = row.has_item ? "oId:id oName:string" : "";
    if (!expected.empty() && !row.properties.empty()) expected += ' ';
    expected += row.properties;
    EXPECT_EQ(list(type.properties), expected) << row.code;
  }
}

TEST(Catalog, HasThePropertiesOfEveryEvent) {
  EXPECT_EQ(list(Catalog().common_properties()), kCommon);
}

TEST(Catalog, HasTheGroupsInTheirOrder) {
  constexpr std::array<std::array<std::string_view, 3>, 12> kGroups = {{
      {"smart_walk_thru", "Smart Walk-Thru", "Smart Walk-Thru"},
      {"launcher", "Launcher", "Launcher"},
      {"onboarding", "Onboarding", "Onboarding"},
      {"shoutout", "ShoutOut", "ShoutOut"},
      {"smart_tip", "SmartTip", "SmartTip"},
      {"survey", "Survey", "Survey"},
      {"menu", "Menu", "Menü"},
      {"shuttle", "Shuttle", "Shuttle"},
      {"resource", "Resource", "Resource"},
      {"teachme", "TeachMe", "TeachMe"},
      {"dxa", "Digital Experience Analytics", "Digital-Experience-Analyse"},
      {"operations", "Operations", "Betrieb"},
  }};
  const Catalog catalog;
  ASSERT_EQ(catalog.groups().size(), kGroups.size());
  for (std::size_t i = 0; i < kGroups.size(); ++i) {
    EXPECT_EQ(catalog.groups()[i].code, kGroups[i][0]);
    EXPECT_EQ(catalog.groups()[i].label.en, kGroups[i][1]);
    EXPECT_EQ(catalog.groups()[i].label.de, kGroups[i][2]);
    EXPECT_FALSE(catalog.select(std::string(kGroups[i][0]) + ".*").empty());
  }
}

TEST(Catalog, DescribesEverythingInBothLanguages) {
  const Catalog catalog;
  const auto expect_text = [](const Text& text, std::string_view what) {
    EXPECT_GE(text.en.size(), 5U) << what;
    EXPECT_GE(text.de.size(), 5U) << what;
    EXPECT_NE(text.en, text.de) << what;
  };
  for (const EventType& type : catalog.types()) {
    expect_text(type.description, type.code);
    for (const auto& property : type.properties) expect_text(property.description, property.path);
  }
  for (const auto& property : catalog.common_properties()) {
    if (property.path == "env.browser.name") continue;  // "The browser"
    expect_text(property.description, property.path);
  }
}

// Whether `path` leads to something in `data`; the last segment may be a '*'.
bool has_path(simdjson::dom::element data, std::string_view path) {
  const auto parsed = PropertyPath::parse(path);
  for (const std::string& segment : parsed->segments) {
    if (segment == "*") return data.get_object().size() > 0;
    if (data.at_key(segment).get(data) != simdjson::SUCCESS) return false;
  }
  return true;
}

// What a sender gives: the rest comes from the server.
constexpr std::array<std::string_view, 5> kFromServer = {"event.name", "event.received_at",
                                                         "created_at", "wm.env", "wm.envName"};

TEST(Catalog, SamplesHoldEveryDeclaredProperty) {
  const Catalog catalog;
  simdjson::dom::parser parser;
  for (const EventType& type : catalog.types()) {
    simdjson::dom::element sample;
    ASSERT_EQ(parser.parse(type.sample).get(sample), simdjson::SUCCESS) << type.sample;
    EXPECT_EQ(sample["type"].get_string().value(), type.code);
    const simdjson::dom::element data = sample["data"].value();
    for (const auto& property : type.properties) {
      EXPECT_TRUE(has_path(data, property.path)) << type.code << " " << property.path;
    }
    if (type.is_operational) continue;
    for (const auto& property : catalog.common_properties()) {
      const std::string& path = property.path;
      if (std::ranges::find(kFromServer, path) != kFromServer.end()) continue;
      const bool is_attribute = path.starts_with("event.");
      EXPECT_TRUE(is_attribute ? has_path(sample, path.substr(6)) : has_path(data, path))
          << type.code << " " << path;
    }
  }
}

struct DeclaredCase {
  std::string_view code;
  std::string_view path;
  std::optional<PropertyType> type;
};

TEST(Catalog, KnowsTheDeclaredTypeOfAPath) {
  const DeclaredCase cases[] = {
      {"survey.submitted", "nps", PropertyType::integer},
      {"survey.submitted", "answers", PropertyType::array},
      {"survey.submitted", "answers.*.value", PropertyType::any},
      {"survey.submitted", "answers.0.value", PropertyType::any},
      {"survey.question_answered", "value.x", PropertyType::any},
      {"survey.submitted", "step.number", std::nullopt},
      {"smart_walk_thru.step_played", "step.number", PropertyType::integer},
      {"smart_walk_thru.step_played", "step", std::nullopt},
      {"smart_walk_thru.step_played", "step.number.x", std::nullopt},
      {"dxa.click", "oId", std::nullopt},
      {"launcher.clicked", "oId", PropertyType::id},
      {"launcher.clicked", "wm.userVars.plan", PropertyType::scalar},
      {"launcher.clicked", "wm.userVars.plan.name", PropertyType::scalar},
      {"launcher.clicked", "wm.userVars.*", PropertyType::scalar},
      {"launcher.clicked", "wm.userVars", std::nullopt},
      {"launcher.clicked", "env.mobile", PropertyType::boolean},
      {"launcher.clicked", "event.name", PropertyType::string},
      {"launcher.clicked", "event.source", std::nullopt},
      {"launcher.clicked", "created_at", PropertyType::integer},
      {"launcher.clicked", "", std::nullopt},
  };
  const Catalog catalog;
  for (const DeclaredCase& c : cases) {
    EXPECT_EQ(catalog.declared_type(*catalog.find(c.code), c.path), c.type)
        << c.code << " " << c.path;
  }
}

TEST(Catalog, EilpostsOwnTypesAreAGroupWithoutUsersAndPages) {
  const Catalog catalog;
  std::vector<std::string> codes;
  for (const EventType* type : catalog.select("operations.*")) {
    codes.push_back(type->code);
    EXPECT_TRUE(type->is_operational && is_operational(type->code));
    EXPECT_EQ(catalog.declared_type(*type, "destination.name"), PropertyType::string);
    EXPECT_EQ(catalog.declared_type(*type, "event.time"), PropertyType::string);
    EXPECT_EQ(catalog.declared_type(*type, "wm.euId"), std::nullopt);
  }
  EXPECT_EQ(codes, (std::vector<std::string>{"destination.paused", "destination.disabled",
                                             "destination.recovered", "certificate.expiring",
                                             "backlog.high"}));
  EXPECT_FALSE(is_operational("survey.submitted"));
  EXPECT_TRUE(catalog.select("destination.*").empty());
}

TEST(Catalog, SelectsOneTypeOrAGroup) {
  const Catalog catalog;
  EXPECT_EQ(catalog.select("survey.*").size(), 3U);
  EXPECT_EQ(catalog.select("teachme.*").size(), 8U);
  ASSERT_EQ(catalog.select("survey.submitted").size(), 1U);
  EXPECT_EQ(catalog.select("survey.submitted").front()->code, "survey.submitted");
  for (const std::string_view none : {"", "*", ".*", "survey", "survey.", "sur.*", "custom.*"}) {
    EXPECT_TRUE(catalog.select(none).empty()) << none;
  }
}

TEST(Catalog, FindsTheCodeThatWasMeant) {
  const Catalog catalog;
  EXPECT_EQ(catalog.closest_code("survey.submited"), "survey.submitted");
  EXPECT_EQ(catalog.closest_code("Survey.Submitted"), "survey.submitted");
  EXPECT_EQ(catalog.closest_code("launcher-clicked"), "launcher.clicked");
  EXPECT_EQ(catalog.closest_code("page_view"), "");
  EXPECT_EQ(catalog.closest_code(""), "");
  EXPECT_EQ(catalog.closest_code(std::string(100'000, 'x')), "");
}

EventType custom_type() {
  EventType type;
  type.code = "custom.order_placed";
  type.label = {.en = "Order placed", .de = "Bestellung aufgegeben"};
  type.properties = {{.path = "order.total", .type = PropertyType::number, .description = {}},
                     {.path = "order.tags.*", .type = PropertyType::string, .description = {}},
                     {.path = "items", .type = PropertyType::array, .description = {}}};
  return type;
}

TEST(Catalog, CustomTypesFormAGroupBehindTheOthers) {
  const Catalog catalog({custom_type()});
  const EventType* const type = catalog.find("custom.order_placed");
  ASSERT_NE(type, nullptr);
  EXPECT_TRUE(type->is_custom);
  EXPECT_EQ(type->group, "custom");
  EXPECT_EQ(catalog.groups().back().code, "custom");
  EXPECT_EQ(catalog.groups().back().label.en, "Custom");
  EXPECT_EQ(catalog.groups().back().label.de, "Eigene");
  EXPECT_EQ(catalog.select("custom.*").size(), 1U);
  EXPECT_EQ(catalog.declared_type(*type, "order.total"), PropertyType::number);
  EXPECT_EQ(catalog.declared_type(*type, "order.tags.x"), PropertyType::string);
  EXPECT_EQ(catalog.declared_type(*type, "wm.euId"), PropertyType::string);
  simdjson::dom::parser parser;
  const auto sample = parser.parse(type->sample);
  EXPECT_EQ(sample["type"].get_string().value(), "custom.order_placed");
  EXPECT_TRUE(sample["data"]["order.total"].is_number());
  EXPECT_TRUE(sample["data"]["order.tags.example"].is_string());
}

TEST(Catalog, ACopyIsWhole) {
  const Catalog original({custom_type()});
  const Catalog copy = original;
  const EventType* const type = copy.find("custom.order_placed");
  ASSERT_NE(type, nullptr);
  EXPECT_EQ(copy.declared_type(*type, "items"), PropertyType::array);
}

struct CustomCase {
  void (*change)(EventType& type);
  std::string_view code;
  std::string_view pointer;
};

TEST(CustomType, AGoodOneHasNoProblems) {
  Problems problems;
  check_custom_type(custom_type(), problems);
  EXPECT_TRUE(problems.ok()) << problems.errors.front().detail;
  EXPECT_TRUE(problems.warnings.empty());
}

TEST(CustomType, EachMistakeIsNamedWithItsPlace) {
  const CustomCase cases[] = {
      {[](EventType& t) { t.code = "order_placed"; }, "invalid_code", "/code"},
      {[](EventType& t) { t.code = "custom."; }, "invalid_code", "/code"},
      {[](EventType& t) { t.code = "custom.Order"; }, "invalid_code", "/code"},
      {[](EventType& t) { t.code = "custom.a.b"; }, "invalid_code", "/code"},
      {[](EventType& t) { t.code = "custom." + std::string(65, 'a'); }, "invalid_code", "/code"},
      {[](EventType& t) { t.label.en = " "; }, "label_missing", "/label/en"},
      {[](EventType& t) { t.label.de = ""; }, "label_missing", "/label/de"},
      {[](EventType& t) { t.label.de = std::string(201, 'x'); }, "label_too_long", "/label/de"},
      {[](EventType& t) { t.label.de = "\xFF"; }, "label_not_utf8", "/label/de"},
      {[](EventType& t) { t.properties[1].path = "a..b"; }, "invalid_path", "/properties/1/path"},
      {[](EventType& t) { t.properties[1].path = "a.*.b"; }, "invalid_path", "/properties/1/path"},
      {[](EventType& t) { t.properties[1].path = "*"; }, "invalid_path", "/properties/1/path"},
      {[](EventType& t) { t.properties[1].path = "a b"; }, "invalid_path", "/properties/1/path"},
      {[](EventType& t) { t.properties[1].path = "a\"b"; }, "invalid_path", "/properties/1/path"},
      {[](EventType& t) { t.properties[0].path = "event.id"; }, "reserved_path",
       "/properties/0/path"},
      {[](EventType& t) { t.properties[0].path = "created_at"; }, "reserved_path",
       "/properties/0/path"},
      {[](EventType& t) { t.properties[0].path = "wm.euId"; }, "common_property",
       "/properties/0/path"},
      {[](EventType& t) { t.properties[2].path = "wm.userVars.plan"; }, "common_property",
       "/properties/2/path"},
      {[](EventType& t) { t.properties[0].path = "ctx.location"; }, "common_property",
       "/properties/0/path"},
      {[](EventType& t) { t.properties[2].path = t.properties[0].path; }, "duplicate_property",
       "/properties/2/path"},
      {[](EventType& t) { t.properties.resize(257, t.properties[0]); }, "too_many_properties",
       "/properties"},
  };
  for (const CustomCase& c : cases) {
    EventType type = custom_type();
    c.change(type);
    Problems problems;
    check_custom_type(type, problems);
    ASSERT_EQ(problems.errors.size(), 1U) << c.code << " " << c.pointer;
    EXPECT_EQ(problems.errors[0].code, c.code) << problems.errors[0].detail;
    EXPECT_EQ(problems.errors[0].pointer, c.pointer);
  }
}

TEST(CustomType, MayRepeatACommonPropertyWithItsType) {
  EventType type = custom_type();
  type.code = "custom." + std::string(64, 'a');
  type.properties = {{.path = "wm.euId", .type = PropertyType::string, .description = {}},
                     {.path = "wm.userVars.plan", .type = PropertyType::string, .description = {}},
                     {.path = "ctx.location", .type = PropertyType::object, .description = {}}};
  Problems problems;
  check_custom_type(type, problems);
  EXPECT_TRUE(problems.ok()) << problems.errors.front().detail;
}

}  // namespace
}  // namespace eilpost
