// The 32 event types.

#include "model/catalog_data.h"

namespace eilpost::catalog_data {
namespace {

using enum PropertyType;

constexpr PropertyRow kStep[] = {
    {"step.id", id, "The id of the step", "Die Id des Schritts"},
    {"step.name", string, "The name of the step", "Der Name des Schritts"},
    {"step.number", integer, "The place of the step in the walk-thru; the first is 1",
     "Die Stelle des Schritts im Walk-Thru; der erste ist 1"},
};

constexpr PropertyRow kGoal[] = {
    {"goal.id", id, "The id of the goal", "Die Id des Ziels"},
    {"goal.name", string, "The name of the goal", "Der Name des Ziels"},
};

constexpr PropertyRow kStarted[] = {
    {"type", string, "How it began: play", "Wie es begann: play"},
    {"initiator", string, "What started it, such as a launcher or the menu",
     "Was es gestartet hat, zum Beispiel ein Launcher oder das Menü"},
};

constexpr PropertyRow kError[] = {
    {"error.reason", string, "Why it could not start", "Warum es nicht starten konnte"},
};

constexpr PropertyRow kTask[] = {
    {"task.id", id, "The id of the task", "Die Id der Aufgabe"},
    {"task.name", string, "The name of the task", "Der Name der Aufgabe"},
    {"progress", number, "The completed part of all tasks, from 0 to 1",
     "Der erledigte Anteil aller Aufgaben, von 0 bis 1"},
};

constexpr PropertyRow kAction[] = {
    {"action.id", id, "The id of the action, if it was one",
     "Die Id der Aktion, falls es eine war"},
    {"action.name", string, "The name of the action, if it was one",
     "Der Name der Aktion, falls es eine war"},
};

constexpr PropertyRow kTipElement[] = {
    {"element.name", string, "The name of the field that the SmartTip belongs to",
     "Der Name des Felds, zu dem der SmartTip gehört"},
};

constexpr PropertyRow kTipRule[] = {
    {"element.name", string, "The name of the field that was checked",
     "Der Name des geprüften Felds"},
    {"rule.name", string, "The name of the rule that was broken", "Der Name der verletzten Regel"},
    {"rule.message", string, "What the user was told", "Was dem Benutzer mitgeteilt wurde"},
};

constexpr PropertyRow kAnswer[] = {
    {"value", any, "The answer: text, a number or a list", "Die Antwort: Text, Zahl oder Liste"},
    {"survey.id", id, "The id of the survey", "Die Id der Umfrage"},
    {"survey.name", string, "The name of the survey", "Der Name der Umfrage"},
};

constexpr PropertyRow kAnswers[] = {
    {"answers", array, "All answers, each with id, question and value",
     "Alle Antworten, jede mit Id, Frage und Wert"},
    {"nps", integer, "The Net Promoter Score answer, from 0 to 10",
     "Die Antwort auf die NPS-Frage, von 0 bis 10"},
};

constexpr PropertyRow kSearch[] = {
    {"search.term", string, "What the user searched for", "Wonach der Benutzer gesucht hat"},
    {"search.results", integer, "How many results were found", "Wie viele Treffer es gab"},
};

constexpr PropertyRow kSearchResult[] = {
    {"search.term", string, "What the user had searched for", "Wonach der Benutzer gesucht hatte"},
    {"item.type", string, "The kind of item that was selected", "Die Art des gewählten Elements"},
};

constexpr PropertyRow kShuttle[] = {
    {"goal.id", id, "The id of the goal", "Die Id des Ziels"},
    {"goal.name", string, "The name of the goal", "Der Name des Ziels"},
    {"url", string, "Where the shuttle leads", "Wohin das Shuttle führt"},
};

constexpr PropertyRow kResource[] = {
    {"resource.type", string, "The kind of resource, such as article or video",
     "Die Art der Resource, zum Beispiel Artikel oder Video"},
    {"url", string, "The address of the resource", "Die Adresse der Resource"},
};

constexpr PropertyRow kCourse[] = {
    {"course.id", id, "The id of the course", "Die Id des Kurses"},
    {"course.name", string, "The name of the course", "Der Name des Kurses"},
};

constexpr PropertyRow kCourseStep[] = {
    {"course.id", id, "The id of the course", "Die Id des Kurses"},
    {"course.name", string, "The name of the course", "Der Name des Kurses"},
    {"step.id", id, "The id of the step", "Die Id des Schritts"},
    {"step.name", string, "The name of the step", "Der Name des Schritts"},
};

constexpr PropertyRow kQuiz[] = {
    {"course.id", id, "The id of the course", "Die Id des Kurses"},
    {"course.name", string, "The name of the course", "Der Name des Kurses"},
    {"quiz.id", id, "The id of the quiz", "Die Id des Quiz"},
    {"quiz.name", string, "The name of the quiz", "Der Name des Quiz"},
};

constexpr PropertyRow kQuizResult[] = {
    {"course.id", id, "The id of the course", "Die Id des Kurses"},
    {"course.name", string, "The name of the course", "Der Name des Kurses"},
    {"quiz.id", id, "The id of the quiz", "Die Id des Quiz"},
    {"quiz.name", string, "The name of the quiz", "Der Name des Quiz"},
    {"quiz.score", number, "The score that the user reached", "Die erreichte Punktzahl"},
    {"quiz.passmark", number, "The score from which on the quiz is passed",
     "Die Punktzahl, ab der das Quiz bestanden ist"},
};

constexpr PropertyRow kClick[] = {
    {"element.tag", string, "The kind of HTML element", "Die Art des HTML-Elements"},
    {"element.selector", string, "The CSS selector that finds it",
     "Der CSS-Selektor, der es findet"},
    {"element.xpath", string, "The XPath that finds it", "Der XPath, der es findet"},
    {"element.text", string, "Its text", "Sein Text"},
    {"element.name", string, "Its name", "Sein Name"},
    {"element.title", string, "Its title", "Sein Titel"},
    {"element.label", string, "Its label", "Seine Beschriftung"},
    {"misc.type", string, "Whether it was a click or a tap", "Ob geklickt oder getippt wurde"},
};

constexpr PropertyRow kInput[] = {
    {"element.tag", string, "The kind of HTML element", "Die Art des HTML-Elements"},
    {"element.selector", string, "The CSS selector that finds it",
     "Der CSS-Selektor, der es findet"},
    {"element.xpath", string, "The XPath that finds it", "Der XPath, der es findet"},
    {"element.text", string, "Its text", "Sein Text"},
    {"element.name", string, "Its name", "Sein Name"},
    {"element.title", string, "Its title", "Sein Titel"},
    {"element.label", string, "Its label", "Seine Beschriftung"},
    {"misc.type", string, "The kind of input field", "Die Art des Eingabefelds"},
    {"element.value", string, "What was entered; only where collecting it was switched on",
     "Was eingegeben wurde; nur wo dies eingeschaltet wurde"},
};

constexpr PropertyRow kPageView[] = {
    {"ctx.timing.loadTime", integer, "How long the page took to load, in milliseconds",
     "Wie lange die Seite zum Laden brauchte, in Millisekunden"},
};

constexpr std::string_view kSampleCourse = R"("oId":88410,"oName":"Invoicing basics",)"
                                           R"("course":{"id":88410,"name":"Invoicing basics"},)";

constexpr std::string_view kSampleQuiz = R"("oId":88410,"oName":"Invoicing basics",)"
                                         R"("course":{"id":88410,"name":"Invoicing basics"},)"
                                         R"("quiz":{"id":88417,"name":"Check what you know"},)";

constexpr std::string_view kSampleQuizPassed =
    R"("oId":88410,"oName":"Invoicing basics",)"
    R"("course":{"id":88410,"name":"Invoicing basics"},)"
    R"("quiz":{"id":88417,"name":"Check what you know","score":85,"passmark":70},)";

constexpr std::string_view kSampleQuizFailed =
    R"("oId":88410,"oName":"Invoicing basics",)"
    R"("course":{"id":88410,"name":"Invoicing basics"},)"
    R"("quiz":{"id":88417,"name":"Check what you know","score":52.5,"passmark":70},)";

constexpr std::string_view kSampleShoutOut = R"("oId":73105,"oName":"The new dashboard is here",)";

constexpr TypeRow kTypeRows[] = {
    {"smart_walk_thru.step_played", "Smart Walk-Thru step played",
     "Smart Walk-Thru-Schritt abgespielt", "A step of a Smart Walk-Thru was shown to the user.",
     "Ein Schritt eines Smart Walk-Thru wurde dem Benutzer gezeigt.", About::item, kStep,
     R"("oId":152601,"oName":"Create your first invoice",)"
     R"("step":{"id":4711,"name":"Choose a customer","number":3},)",
     ""},
    {"smart_walk_thru.goal_reached", "Smart Walk-Thru goal reached",
     "Smart Walk-Thru-Ziel erreicht",
     "The user did what a Smart Walk-Thru was meant to bring about.",
     "Der Benutzer hat erreicht, wozu ein Smart Walk-Thru führen soll.", About::item, kGoal,
     R"("oId":152601,"oName":"Create your first invoice",)"
     R"("goal":{"id":981,"name":"Invoice sent"},)",
     ""},
    {"smart_walk_thru.started", "Smart Walk-Thru started", "Smart Walk-Thru gestartet",
     "A Smart Walk-Thru began to play for the user.",
     "Ein Smart Walk-Thru wurde für den Benutzer begonnen.", About::item, kStarted,
     R"("oId":152601,"oName":"Create your first invoice","type":"play","initiator":"launcher",)",
     ""},
    {"smart_walk_thru.failed", "Smart Walk-Thru failed", "Smart Walk-Thru fehlgeschlagen",
     "A Smart Walk-Thru was asked for but could not start.",
     "Ein Smart Walk-Thru wurde angefordert, konnte aber nicht starten.", About::item, kError,
     R"("oId":152601,"oName":"Create your first invoice",)"
     R"("error":{"reason":"The page has no element for the first step"},)",
     ""},
    {"launcher.clicked",
     "Launcher clicked",
     "Launcher angeklickt",
     "The user clicked a launcher on the page.",
     "Der Benutzer hat einen Launcher auf der Seite angeklickt.",
     About::item,
     {},
     R"("oId":60233,"oName":"Need help with invoices?",)",
     ""},
    {"onboarding.task_completed", "Onboarding task completed", "Onboarding-Aufgabe abgeschlossen",
     "The user finished a task of the onboarding list.",
     "Der Benutzer hat eine Aufgabe der Onboarding-Liste erledigt.", About::item, kTask,
     R"("oId":41020,"oName":"First steps in sales",)"
     R"("task":{"id":41023,"name":"Invite a colleague"},"progress":0.6,)",
     ""},
    {"shoutout.action_clicked", "ShoutOut action clicked", "ShoutOut-Aktion geklickt",
     "The user clicked something in a ShoutOut.",
     "Der Benutzer hat etwas in einem ShoutOut angeklickt.", About::item, kAction,
     R"("oId":73105,"oName":"The new dashboard is here",)"
     R"("action":{"id":"show-me","name":"Show me"},)",
     ""},
    {"shoutout.dismissed",
     "ShoutOut dismissed",
     "ShoutOut verworfen",
     "The user closed a ShoutOut.",
     "Der Benutzer hat ein ShoutOut geschlossen.",
     About::item,
     {},
     kSampleShoutOut,
     ""},
    {"shoutout.goal_reached", "ShoutOut goal reached", "ShoutOut-Goal erreicht",
     "The user did what a ShoutOut was meant to bring about.",
     "Der Benutzer hat erreicht, wozu ein ShoutOut führen soll.", About::item, kGoal,
     R"("oId":73105,"oName":"The new dashboard is here",)"
     R"("goal":{"id":982,"name":"Dashboard opened"},)",
     ""},
    {"shoutout.displayed",
     "ShoutOut displayed",
     "ShoutOut angezeigt",
     "A ShoutOut was shown to the user.",
     "Ein ShoutOut wurde dem Benutzer angezeigt.",
     About::item,
     {},
     kSampleShoutOut,
     ""},
    {"smart_tip.message_displayed", "SmartTip message displayed", "SmartTip-Nachricht angezeigt",
     "The message of a SmartTip was shown at a field.",
     "Die Nachricht eines SmartTip wurde an einem Feld angezeigt.", About::item, kTipElement,
     R"("oId":55810,"oName":"VAT number","element":{"name":"vat_number"},)", ""},
    {"smart_tip.validation_failed", "SmartTip validation failed", "SmartTip-Validierungsfehler",
     "What the user entered broke a rule of a SmartTip.",
     "Die Eingabe des Benutzers hat eine Regel eines SmartTip verletzt.", About::item, kTipRule,
     R"("oId":55810,"oName":"VAT number","element":{"name":"vat_number"},)"
     R"("rule":{"name":"Country prefix","message":"Begin with DE, AT or CH."},)",
     ""},
    {"survey.question_answered", "Survey question answered", "Survey-Frage beantwortet",
     "The user answered a question of a survey.",
     "Der Benutzer hat eine Frage einer Umfrage beantwortet.", About::item, kAnswer,
     R"("oId":7,"oName":"How likely are you to recommend us?","value":9,)"
     R"("survey":{"id":152605,"name":"NPS Q4"},)",
     ""},
    {"survey.dismissed",
     "Survey dismissed",
     "Survey verworfen",
     "The user began a survey but did not submit it.",
     "Der Benutzer hat eine Umfrage begonnen, aber nicht abgeschickt.",
     About::item,
     {},
     R"("oId":152605,"oName":"NPS Q4",)",
     ""},
    {"survey.submitted", "Survey submitted", "Survey übermittelt", "The user submitted a survey.",
     "Der Benutzer hat eine Umfrage abgeschickt.", About::item, kAnswers,
     R"("oId":152605,"oName":"NPS Q4",)"
     R"("answers":[{"id":7,"question":"How likely are you to recommend us?","value":9},)"
     R"({"id":8,"question":"What do you like best?","value":"The clear invoices"}],"nps":9,)",
     ""},
    {"menu.opened",
     "Menu opened",
     "Menü geöffnet",
     "The user opened the help menu.",
     "Der Benutzer hat das Hilfemenü geöffnet.",
     About::page,
     {},
     "",
     ""},
    {"menu.searched", "Menu search", "Menüsuche", "The user searched in the help menu.",
     "Der Benutzer hat im Hilfemenü gesucht.", About::page, kSearch,
     R"("search":{"term":"credit note","results":4},)", ""},
    {"menu.item_selected", "Menu item selected", "Menüpunkt ausgewählt",
     "The user chose one of the results of a search in the help menu.",
     "Der Benutzer hat einen Treffer der Suche im Hilfemenü gewählt.", About::item, kSearchResult,
     R"("oId":152602,"oName":"Write a credit note",)"
     R"("search":{"term":"credit note"},"item":{"type":"smart_walk_thru"},)",
     ""},
    {"shuttle.goal_reached", "Shuttle goal reached", "Shuttle-Ziel erreicht",
     "The user did what a shuttle was meant to bring about.",
     "Der Benutzer hat erreicht, wozu ein Shuttle führen soll.", About::item, kShuttle,
     R"("oId":39001,"oName":"Go to the reports","goal":{"id":983,"name":"Report exported"},)"
     R"("url":"https://app.example.com/console/reports",)",
     ""},
    {"resource.clicked", "Resource clicked", "Resource angeklickt",
     "The user opened a resource, such as an article or a video.",
     "Der Benutzer hat eine Resource geöffnet, zum Beispiel einen Artikel oder ein Video.",
     About::item, kResource,
     R"("oId":91544,"oName":"How payment terms work","resource":{"type":"article"},)"
     R"("url":"https://help.example.com/payment-terms",)",
     ""},
    {"resource.goal_reached", "Resource goal reached", "Resource-Ziel erreicht",
     "The user did what a resource was meant to bring about.",
     "Der Benutzer hat erreicht, wozu eine Resource führen soll.", About::item, kGoal,
     R"("oId":91544,"oName":"How payment terms work",)"
     R"("goal":{"id":984,"name":"Payment terms saved"},)",
     ""},
    {"teachme.visible", "TeachMe visible", "TeachMe war sichtbar",
     "A TeachMe course came into the user's view.",
     "Ein TeachMe-Kurs wurde für den Benutzer sichtbar.", About::item, kCourse, kSampleCourse, ""},
    {"teachme.step_started", "TeachMe step started", "TeachMe-Schritt gestartet",
     "The user began a step of a course.", "Der Benutzer hat einen Schritt eines Kurses begonnen.",
     About::item, kCourseStep,
     R"("oId":88410,"oName":"Invoicing basics",)"
     R"("course":{"id":88410,"name":"Invoicing basics"},)"
     R"("step":{"id":88412,"name":"Dates and due dates"},)",
     ""},
    {"teachme.course_started", "TeachMe course started", "TeachMe-Kurs gestartet",
     "The user began a course.", "Der Benutzer hat einen Kurs begonnen.", About::item, kCourse,
     kSampleCourse, ""},
    {"teachme.course_completed", "TeachMe course completed", "TeachMe-Kursabschluss",
     "The user finished a course.", "Der Benutzer hat einen Kurs abgeschlossen.", About::item,
     kCourse, kSampleCourse, ""},
    {"teachme.quiz_played", "Quiz played", "Quiz abgespielt", "The user opened a course's quiz.",
     "Der Benutzer hat das Quiz eines Kurses geöffnet.", About::item, kQuiz, kSampleQuiz, ""},
    {"teachme.quiz_submitted", "Quiz submitted", "Quiz eingereicht",
     "The user handed in a quiz, passed or not.",
     "Der Benutzer hat ein Quiz eingereicht, bestanden oder nicht.", About::item, kQuizResult,
     kSampleQuizPassed, ""},
    {"teachme.quiz_passed", "Quiz passed", "Quiz bestanden",
     "The user handed in a quiz and passed it.",
     "Der Benutzer hat ein Quiz eingereicht und bestanden.", About::item, kQuizResult,
     kSampleQuizPassed, ""},
    {"teachme.quiz_failed", "Quiz failed", "Quiz nicht bestanden",
     "The user handed in a quiz and did not pass it.",
     "Der Benutzer hat ein Quiz eingereicht und nicht bestanden.", About::item, kQuizResult,
     kSampleQuizFailed, ""},
    {"dxa.click", "Click/Tap", "Click/Tap", "The user clicked or tapped an element of the site.",
     "Der Benutzer hat ein Element der Seite angeklickt oder angetippt.", About::page, kClick,
     R"("element":{"tag":"button","selector":"#send-invoice",)"
     R"("xpath":"/html/body/main/form/button[1]","text":"Send invoice","name":"send",)"
     R"("title":"Send this invoice","label":"Send invoice"},"misc":{"type":"click"},)",
     ""},
    {"dxa.input", "User input", "Benutzereingabe", "The user filled in a field of the site.",
     "Der Benutzer hat ein Feld der Seite ausgefüllt.", About::page, kInput,
     R"("element":{"tag":"input","selector":"input[name=due_days]",)"
     R"("xpath":"/html/body/main/form/input[4]","text":"","name":"due_days",)"
     R"("title":"Days until payment is due","label":"Due in days","value":"30"},)"
     R"("misc":{"type":"number"},)",
     ""},
    {"dxa.page_view", "Page view", "Page View", "The user viewed a page of the site.",
     "Der Benutzer hat eine Seite aufgerufen.", About::page, kPageView, "",
     R"("timing":{"loadTime":843},)"},
};

}  // namespace

const std::span<const TypeRow> kTypes = kTypeRows;

}  // namespace eilpost::catalog_data
