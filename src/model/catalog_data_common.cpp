// Groups, the properties of every event, and the frame of the samples.

#include "model/catalog_data.h"

namespace eilpost::catalog_data {
namespace {

using enum PropertyType;

constexpr GroupRow kGroupRows[] = {
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
};

constexpr PropertyRow kCommonRows[] = {
    {"event.id", string, "The event's id; a repeat of it is not delivered again",
     "Die Id des Ereignisses; eine Wiederholung wird nicht noch einmal zugestellt"},
    {"event.type", string, "What happened, as the code of the event type",
     "Was geschah, als Code des Ereignistyps"},
    {"event.name", string, "What happened, in English words", "Was geschah, in englischen Worten"},
    {"event.time", string, "When it happened (ISO 8601)", "Wann es geschah (ISO 8601)"},
    {"event.received_at", string, "When Eilpost received the event (ISO 8601)",
     "Wann Eilpost das Ereignis empfing (ISO 8601)"},
    {"created_at", integer, "When it happened, in milliseconds since 1970",
     "Wann es geschah, in Millisekunden seit 1970"},
    {"sId", string, "The user's session", "Die Sitzung des Benutzers"},
    {"wm.euId", string, "The end user", "Der Endbenutzer"},
    {"wm.euIdSource", string, "Where the end user's id was taken from",
     "Woher die Id des Endbenutzers stammt"},
    {"wm.language", string, "The language in which guidance is shown",
     "Die Sprache, in der die Hilfen angezeigt werden"},
    {"wm.platform", string, "The kind of application, such as web",
     "Die Art der Anwendung, zum Beispiel web"},
    {"wm.envName", string, "The environment's name", "Der Name der Umgebung"},
    {"wm.env", integer, "The environment's number: 0 is production, 2 editor, 3 test",
     "Die Nummer der Umgebung: 0 ist Produktion, 2 Editor, 3 Test"},
    {"wm.userVars.*", scalar, "What your own pages tell about the user, such as the plan",
     "Was Ihre eigenen Seiten über den Benutzer angeben, zum Beispiel den Tarif"},
    {"env.browser.name", string, "The browser", "Der Browser"},
    {"env.browser.version", string, "The browser's version", "Die Version des Browsers"},
    {"env.os.name", string, "The operating system", "Das Betriebssystem"},
    {"env.os.version", string, "The operating system's version", "Die Version des Betriebssystems"},
    {"env.screen.width", integer, "The screen's width in pixels",
     "Die Breite des Bildschirms in Pixeln"},
    {"env.screen.height", integer, "The screen's height in pixels",
     "Die Höhe des Bildschirms in Pixeln"},
    {"env.mobile", boolean, "Whether it is a phone or a tablet",
     "Ob es ein Telefon oder Tablet ist"},
    {"env.timezone", integer, "The user's offset from UTC in minutes",
     "Die Abweichung des Benutzers von UTC in Minuten"},
    {"ctx.location.protocol", string,
     "The page's protocol, such as https:", "Das Protokoll der Seite, zum Beispiel https:"},
    {"ctx.location.hostname", string, "The page's host", "Der Host der Seite"},
    {"ctx.location.pathname", string, "The page's path", "Der Pfad der Seite"},
    {"ctx.location.search", string, "The page's query, from the question mark on",
     "Die Abfrage der Seite, ab dem Fragezeichen"},
    {"ctx.title", string, "The page's title", "Der Titel der Seite"},
    {"ctx.referrer", string, "The page from which the user came",
     "Die Seite, von der der Benutzer kam"},
    {"ctx.visitId", string, "The visit of this page", "Der Besuch dieser Seite"},
    {"ctx.isIframe", boolean, "Whether it happened inside a frame of the page",
     "Ob es in einem Frame der Seite geschah"},
};

constexpr PropertyRow kItemRows[] = {
    {"oId", id, "The id of the item that the event is about",
     "Die Id des Elements, um das es im Ereignis geht"},
    {"oName", string, "The name of the item that the event is about",
     "Der Name des Elements, um das es im Ereignis geht"},
};

}  // namespace

const std::span<const GroupRow> kGroups = kGroupRows;
const std::span<const PropertyRow> kCommonProperties = kCommonRows;
const std::span<const PropertyRow> kItemProperties = kItemRows;

const std::string_view kSampleHead =
    R"({"specversion":"1.0","id":"9f0c2b7e-5d1a-4c38-8e64-0b7f3a91d2c5",)"
    R"("source":"https://app.example.com","type":")";

const std::string_view kSampleData = R"(","time":"2026-11-24T09:00:00.123Z","subject":"u-48213",)"
                                     R"("data":{"sId":"s-7c1e90d4",)";

const std::string_view kSampleCtx =
    R"("wm":{"euId":"u-48213","euIdSource":"variable","language":"de","platform":"web",)"
    R"("userVars":{"plan":"pro","team":"Sales","seats":25,"trial":false}},)"
    R"("ctx":{"location":{"protocol":"https:","hostname":"app.example.com",)"
    R"("pathname":"/console/invoices","search":"?view=open"},"title":"Invoices",)"
    R"("referrer":"https://app.example.com/console/","visitId":"v-51f0a2",)";

const std::string_view kSampleTail =
    R"("isIframe":false},"env":{"browser":{"name":"Chrome","version":"156"},)"
    R"("os":{"name":"Windows","version":"11"},"screen":{"width":1920,"height":1080},)"
    R"("mobile":false,"timezone":60}}})";

}  // namespace eilpost::catalog_data
