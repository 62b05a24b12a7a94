//+------------------------------------------------------------------+
//| LogosBridge.mq5: the terminal's side of logos' bridge            |
//|                                                                  |
//| THIS FILE WAS NEVER COMPILED OR RUN BY ITS AUTHORS. It was       |
//| written from the protocol in docs/MT5.md ("Our own Expert        |
//| Advisor") and from MetaQuotes' reference; a test reads it, no    |
//| compiler has. Compile it in MetaEditor, run it on a demo account |
//| and go through the steps in docs/MT5.md before it sees money.    |
//|                                                                  |
//| It needs the binding github.com/dingmaotu/mql-zmq (folders Zmq   |
//| and Mql in MQL5/Include, libzmq.dll in MQL5/Libraries) and the   |
//| permission to use DLLs. One client at a time.                    |
//+------------------------------------------------------------------+
#property copyright "logos"
#property version   "1.00"

#include <Zmq/Zmq.mqh>

#define BRIDGE_NAME      "logos/1"
#define REQUEST_MAX      65536
#define REQUESTS_A_TIMER 64
#define KEPT_MAX         10000

input string Host            = "127.0.0.1"; // where to listen; another host needs CURVE keys
input int    SystemPort      = 15555;
input int    DataPort        = 15556;
input int    LivePort        = 15557;
input int    StreamingPort   = 15558;
input string CurvePublicKey  = "";          // of this terminal, 40 characters
input string CurveSecretKey  = "";          // of this terminal, 40 characters
input int    AnswerTimeoutMs = 60000;       // a trade that the server never answers is told as 10012

Context g_context("logos bridge");
Socket *g_system    = NULL;
Socket *g_data      = NULL;
Socket *g_live      = NULL;
Socket *g_streaming = NULL;

//--- the fields of the request that is being read
string g_names[];
string g_values[];

//--- trades whose answer has not come from the server yet
uint   g_waiting[];
string g_waiting_rid[];
string g_waiting_comment[];
ulong  g_waiting_since[];

//--- candles and prices that the client asked for
string          g_subscribed[];
string          g_subscribed_frame[];
long            g_subscribed_last[];
bool            g_was_connected = true;

//--- frames for which there was no client, or no room
ulong           g_dropped = 0;

//+------------------------------------------------------------------+
//| Text                                                             |
//+------------------------------------------------------------------+
string Quoted(const string text)
  {
   string out = "\"";
   int length = StringLen(text);
   for(int i = 0; i < length; i++)
     {
      ushort letter = StringGetCharacter(text, i);
      if(letter == '"' || letter == '\\')
         out += "\\" + ShortToString(letter);
      else if(letter < 32)
         out += StringFormat("\\u%04x", letter);
      else
         out += ShortToString(letter);
     }
   return out + "\"";
  }

string Named(const string name, const string value)
  {
   return Quoted(name) + ":" + value;
  }

string NamedText(const string name, const string text)
  {
   return Named(name, Quoted(text));
  }

string NamedWhole(const string name, const long number)
  {
   return Named(name, IntegerToString(number));
  }

//--- tickets are unsigned and have 64 bits
string NamedTicket(const string name, const ulong ticket)
  {
   return Named(name, StringFormat("%I64u", ticket));
  }

string NamedMoney(const string name, const double amount)
  {
   return Named(name, DoubleToString(amount, 8));
  }

//--- a price with the digits of its own symbol, never of the chart's
string NamedPrice(const string name, const string symbol, const double price)
  {
   return Named(name, Price(symbol, price));
  }

string Price(const string symbol, const double price)
  {
   return DoubleToString(price, (int)SymbolInfoInteger(symbol, SYMBOL_DIGITS));
  }

int VolumeDigits(const string symbol)
  {
   double step = SymbolInfoDouble(symbol, SYMBOL_VOLUME_STEP);
   int digits = 0;
   while(digits < 8 && step > 0.0 && MathAbs(step - MathRound(step)) > 0.000000001)
     {
      step *= 10.0;
      digits++;
     }
   return digits;
  }

string NamedVolume(const string name, const string symbol, const double volume)
  {
   return Named(name, DoubleToString(volume, VolumeDigits(symbol)));
  }

string Joined(const string &parts[])
  {
   string out = "";
   int count = ArraySize(parts);
   for(int i = 0; i < count; i++)
      out += (i > 0 ? "," : "") + parts[i];
   return out;
  }

void Append(string &parts[], const string part)
  {
   int count = ArraySize(parts);
   ArrayResize(parts, count + 1, 64);
   parts[count] = part;
  }

//+------------------------------------------------------------------+
//| Reading a request: one flat JSON object                          |
//+------------------------------------------------------------------+
void SkipSpace(const string text, int &at)
  {
   int length = StringLen(text);
   while(at < length && StringGetCharacter(text, at) <= 32)
      at++;
  }

bool ReadText(const string text, int &at, string &out)
  {
   out = "";
   int length = StringLen(text);
   if(at >= length || StringGetCharacter(text, at) != '"')
      return false;
   for(at++; at < length; at++)
     {
      ushort letter = StringGetCharacter(text, at);
      if(letter == '"')
        {
         at++;
         return true;
        }
      if(letter == '\\')
        {
         at++;
         if(at >= length)
            return false;
         letter = StringGetCharacter(text, at);
         //--- ids and symbols are plain text: other escapes are refused, not guessed
         if(letter != '"' && letter != '\\' && letter != '/')
            return false;
        }
      out += ShortToString(letter);
     }
   return false;
  }

bool ReadPlain(const string text, int &at, string &out)
  {
   out = "";
   int length = StringLen(text);
   while(at < length)
     {
      ushort letter = StringGetCharacter(text, at);
      if(letter == ',' || letter == '}' || letter <= 32)
         break;
      if(letter == '{' || letter == '[' || letter == '"')
         return false;
      out += ShortToString(letter);
      at++;
     }
   if(out == "null")
      out = "";
   return at < length;
  }

bool ReadRequest(const string text)
  {
   ArrayResize(g_names, 0, 32);
   ArrayResize(g_values, 0, 32);
   int at = 0;
   SkipSpace(text, at);
   if(StringGetCharacter(text, at) != '{')
      return false;
   at++;
   while(true)
     {
      string name = "";
      string value = "";
      SkipSpace(text, at);
      if(!ReadText(text, at, name))
         return false;
      SkipSpace(text, at);
      if(StringGetCharacter(text, at) != ':')
         return false;
      at++;
      SkipSpace(text, at);
      bool is_text = StringGetCharacter(text, at) == '"';
      if(is_text ? !ReadText(text, at, value) : !ReadPlain(text, at, value))
         return false;
      Append(g_names, name);
      Append(g_values, value);
      SkipSpace(text, at);
      ushort next = StringGetCharacter(text, at);
      at++;
      if(next == '}')
         break;
      if(next != ',')
         return false;
     }
   SkipSpace(text, at);
   return at == StringLen(text);
  }

string FieldText(const string name)
  {
   int count = ArraySize(g_names);
   for(int i = 0; i < count; i++)
      if(g_names[i] == name)
         return g_values[i];
   return "";
  }

double FieldNumber(const string name)
  {
   return StringToDouble(FieldText(name));
  }

long FieldWhole(const string name)
  {
   return StringToInteger(FieldText(name));
  }

//+------------------------------------------------------------------+
//| Sending                                                          |
//+------------------------------------------------------------------+
void Push(Socket *socket, const string text)
  {
   ZmqMsg message(text);
   if(!socket.send(message, true))
      g_dropped++;
  }

//--- the comment and the id of the request come back in every answer
void Answer(const string &parts[], const string rid, const string comment)
  {
   string out = "{" + Joined(parts);
   if(comment != "")
      out += "," + NamedText("comment", comment);
   if(rid != "")
      out += "," + NamedText("rid", rid);
   Push(g_data, out + "}");
  }

void AnswerNow(const string &parts[])
  {
   Answer(parts, FieldText("rid"), FieldText("comment"));
  }

void Refuse(const int code, const string words, const string function)
  {
   string parts[];
   Append(parts, Named("error", "true"));
   Append(parts, NamedText("lastError", IntegerToString(code)));
   Append(parts, NamedText("description", words));
   Append(parts, NamedText("function", function));
   AnswerNow(parts);
  }

//+------------------------------------------------------------------+
//| Questions                                                        |
//+------------------------------------------------------------------+
void AppendBalance(string &parts[])
  {
   Append(parts, NamedMoney("balance", AccountInfoDouble(ACCOUNT_BALANCE)));
   Append(parts, NamedMoney("equity", AccountInfoDouble(ACCOUNT_EQUITY)));
   Append(parts, NamedMoney("margin", AccountInfoDouble(ACCOUNT_MARGIN)));
   Append(parts, NamedMoney("margin_free", AccountInfoDouble(ACCOUNT_MARGIN_FREE)));
   Append(parts, NamedText("bridge", BRIDGE_NAME));
   Append(parts, NamedWhole("server_ms", (long)TimeTradeServer() * 1000));
   ENUM_ACCOUNT_MARGIN_MODE mode =
      (ENUM_ACCOUNT_MARGIN_MODE)AccountInfoInteger(ACCOUNT_MARGIN_MODE);
   Append(parts, NamedText("margin_mode", EnumToString(mode)));
  }

void AnswerBalance()
  {
   string parts[];
   Append(parts, Named("error", "false"));
   AppendBalance(parts);
   AnswerNow(parts);
  }

void AnswerAccount()
  {
   string parts[];
   Append(parts, Named("error", "false"));
   Append(parts, NamedText("broker", AccountInfoString(ACCOUNT_COMPANY)));
   Append(parts, NamedText("currency", AccountInfoString(ACCOUNT_CURRENCY)));
   Append(parts, NamedText("server", AccountInfoString(ACCOUNT_SERVER)));
   Append(parts, NamedWhole("trading_allowed", AccountInfoInteger(ACCOUNT_TRADE_ALLOWED)));
   Append(parts, NamedWhole("bot_trading", TerminalInfoInteger(TERMINAL_TRADE_ALLOWED)));
   AppendBalance(parts);
   Append(parts, NamedMoney("margin_level", AccountInfoDouble(ACCOUNT_MARGIN_LEVEL)));
   Append(parts, NamedText("time", TimeToString(TimeTradeServer(), TIME_DATE | TIME_SECONDS)));
   AnswerNow(parts);
  }

void AnswerSymbol()
  {
   string symbol = FieldText("symbol");
   if(!SymbolSelect(symbol, true))
     {
      Refuse(4301, "Symbol does not exist", "AnswerSymbol");
      return;
     }
   string parts[];
   Append(parts, Named("error", "false"));
   Append(parts, NamedText("symbol", symbol));
   Append(parts, NamedWhole("digits", SymbolInfoInteger(symbol, SYMBOL_DIGITS)));
   Append(parts, NamedMoney("tick_size", SymbolInfoDouble(symbol, SYMBOL_TRADE_TICK_SIZE)));
   Append(parts, NamedMoney("volume_step", SymbolInfoDouble(symbol, SYMBOL_VOLUME_STEP)));
   Append(parts, NamedMoney("volume_min", SymbolInfoDouble(symbol, SYMBOL_VOLUME_MIN)));
   Append(parts, NamedMoney("volume_max", SymbolInfoDouble(symbol, SYMBOL_VOLUME_MAX)));
   double contract = SymbolInfoDouble(symbol, SYMBOL_TRADE_CONTRACT_SIZE);
   Append(parts, NamedMoney("contract_size", contract));
   string currency = SymbolInfoString(symbol, SYMBOL_CURRENCY_PROFIT);
   Append(parts, NamedText("currency_profit", currency));
   Append(parts, NamedText("filling", EnumToString(Filling(symbol))));
   AnswerNow(parts);
  }

//--- each position by its own ticket: a hedging account has several in one symbol
void AnswerPositions()
  {
   string found[];
   int total = PositionsTotal();
   for(int i = 0; i < total; i++)
     {
      ulong ticket = PositionGetTicket(i);
      if(ticket == 0)
        {
         Refuse(GetLastError(), "a position could not be read", "AnswerPositions");
         return;
        }
      string symbol = PositionGetString(POSITION_SYMBOL);
      ENUM_POSITION_TYPE type = (ENUM_POSITION_TYPE)PositionGetInteger(POSITION_TYPE);
      string parts[];
      Append(parts, NamedTicket("id", ticket));
      //--- the opening order's number, which stays when the server changes the ticket
      Append(parts, NamedTicket("identifier", (ulong)PositionGetInteger(POSITION_IDENTIFIER)));
      Append(parts, NamedWhole("magic", PositionGetInteger(POSITION_MAGIC)));
      Append(parts, NamedText("symbol", symbol));
      Append(parts, NamedText("type", EnumToString(type)));
      Append(parts, NamedWhole("time_setup", PositionGetInteger(POSITION_TIME)));
      Append(parts, NamedMoney("open", PositionGetDouble(POSITION_PRICE_OPEN)));
      Append(parts, NamedPrice("stoploss", symbol, PositionGetDouble(POSITION_SL)));
      Append(parts, NamedPrice("takeprofit", symbol, PositionGetDouble(POSITION_TP)));
      Append(parts, NamedVolume("volume", symbol, PositionGetDouble(POSITION_VOLUME)));
      Append(parts, NamedText("comment", PositionGetString(POSITION_COMMENT)));
      Append(found, "{" + Joined(parts) + "}");
     }
   AnswerList("positions", found);
  }

void AnswerOrders()
  {
   string found[];
   int total = OrdersTotal();
   for(int i = 0; i < total; i++)
     {
      ulong ticket = OrderGetTicket(i);
      if(ticket == 0)
        {
         Refuse(GetLastError(), "an order could not be read", "AnswerOrders");
         return;
        }
      string symbol = OrderGetString(ORDER_SYMBOL);
      ENUM_ORDER_TYPE type = (ENUM_ORDER_TYPE)OrderGetInteger(ORDER_TYPE);
      string parts[];
      Append(parts, NamedTicket("id", ticket));
      Append(parts, NamedWhole("magic", OrderGetInteger(ORDER_MAGIC)));
      Append(parts, NamedText("symbol", symbol));
      Append(parts, NamedText("type", EnumToString(type)));
      Append(parts, NamedWhole("time_setup", OrderGetInteger(ORDER_TIME_SETUP)));
      Append(parts, NamedPrice("open", symbol, OrderGetDouble(ORDER_PRICE_OPEN)));
      Append(parts, NamedPrice("stoploss", symbol, OrderGetDouble(ORDER_SL)));
      Append(parts, NamedPrice("takeprofit", symbol, OrderGetDouble(ORDER_TP)));
      Append(parts, NamedVolume("volume", symbol, OrderGetDouble(ORDER_VOLUME_CURRENT)));
      Append(parts, NamedText("comment", OrderGetString(ORDER_COMMENT)));
      Append(found, "{" + Joined(parts) + "}");
     }
   AnswerList("orders", found);
  }

void AnswerList(const string name, const string &found[])
  {
   string parts[];
   Append(parts, Named("error", "false"));
   Append(parts, Named(name, "[" + Joined(found) + "]"));
   AnswerNow(parts);
  }

//--- deals from fromDate on, and only those after the ticket fromTicket where one is given
void AnswerDeals()
  {
   datetime from = (datetime)FieldWhole("fromDate");
   ulong after = (ulong)FieldWhole("fromTicket");
   if(!HistorySelect(from, TimeTradeServer() + 86400))
     {
      Refuse(GetLastError(), "the history cannot be had", "AnswerDeals");
      return;
     }
   string found[];
   int total = HistoryDealsTotal();
   for(int i = 0; i < total; i++)
     {
      ulong ticket = HistoryDealGetTicket(i);
      if(ticket == 0)
        {
         Refuse(GetLastError(), "a deal could not be read", "AnswerDeals");
         return;
        }
      if(ticket <= after)
         continue;
      Append(found, Deal(ticket));
     }
   AnswerList("trades", found);
  }

string Deal(const ulong ticket)
  {
   string symbol = HistoryDealGetString(ticket, DEAL_SYMBOL);
   ENUM_DEAL_TYPE type = (ENUM_DEAL_TYPE)HistoryDealGetInteger(ticket, DEAL_TYPE);
   double costs = HistoryDealGetDouble(ticket, DEAL_COMMISSION);
   string parts[];
   Append(parts, NamedTicket("ticket", ticket));
   Append(parts, NamedWhole("time", HistoryDealGetInteger(ticket, DEAL_TIME)));
   Append(parts, NamedPrice("price", symbol, HistoryDealGetDouble(ticket, DEAL_PRICE)));
   Append(parts, NamedVolume("volume", symbol, HistoryDealGetDouble(ticket, DEAL_VOLUME)));
   Append(parts, NamedText("symbol", symbol));
   Append(parts, NamedText("type", EnumToString(type)));
   Append(parts, NamedWhole("entry", HistoryDealGetInteger(ticket, DEAL_ENTRY)));
   Append(parts, NamedMoney("profit", HistoryDealGetDouble(ticket, DEAL_PROFIT)));
   Append(parts, NamedTicket("order", (ulong)HistoryDealGetInteger(ticket, DEAL_ORDER)));
   Append(parts, NamedWhole("magic", HistoryDealGetInteger(ticket, DEAL_MAGIC)));
   Append(parts, NamedText("comment", HistoryDealGetString(ticket, DEAL_COMMENT)));
   Append(parts, NamedMoney("commission", costs));
   Append(parts, NamedMoney("fee", HistoryDealGetDouble(ticket, DEAL_FEE)));
   Append(parts, NamedMoney("swap", HistoryDealGetDouble(ticket, DEAL_SWAP)));
   ulong position = (ulong)HistoryDealGetInteger(ticket, DEAL_POSITION_ID);
   Append(parts, NamedTicket("position", position));
   return "{" + Joined(parts) + "}";
  }

ENUM_TIMEFRAMES Frame(const string name)
  {
   if(name == "M1")  return PERIOD_M1;
   if(name == "M5")  return PERIOD_M5;
   if(name == "M15") return PERIOD_M15;
   if(name == "M30") return PERIOD_M30;
   if(name == "H1")  return PERIOD_H1;
   if(name == "H2")  return PERIOD_H2;
   if(name == "H3")  return PERIOD_H3;
   if(name == "H4")  return PERIOD_H4;
   if(name == "H6")  return PERIOD_H6;
   if(name == "H8")  return PERIOD_H8;
   if(name == "H12") return PERIOD_H12;
   if(name == "D1")  return PERIOD_D1;
   if(name == "W1")  return PERIOD_W1;
   if(name == "MN1") return PERIOD_MN1;
   return PERIOD_CURRENT;
  }

bool IsFrame(const string name)
  {
   return name == "TICK" || Frame(name) != PERIOD_CURRENT;
  }

string Candle(const string symbol, const MqlRates &rate)
  {
   string parts[];
   Append(parts, IntegerToString((long)rate.time));
   Append(parts, Price(symbol, rate.open));
   Append(parts, Price(symbol, rate.high));
   Append(parts, Price(symbol, rate.low));
   Append(parts, Price(symbol, rate.close));
   Append(parts, IntegerToString(rate.tick_volume));
   return "[" + Joined(parts) + "]";
  }

string Quote(const string symbol, const MqlTick &tick)
  {
   string prices = Price(symbol, tick.bid) + "," + Price(symbol, tick.ask);
   return "[" + IntegerToString(tick.time_msc) + "," + prices + "]";
  }

void AnswerData()
  {
   string symbol = FieldText("symbol");
   string frame = FieldText("chartTF");
   long from = FieldWhole("fromDate");
   long to = FieldWhole("toDate");
   if(to == 0)
      to = (long)TimeTradeServer() + 86400;
   if(!SymbolSelect(symbol, true) || !IsFrame(frame))
     {
      Refuse(4301, "Symbol or chartTF does not exist", "AnswerData");
      return;
     }
   string found[];
   int count = 0;
   if(frame == "TICK")
     {
      MqlTick ticks[];
      count = CopyTicksRange(symbol, ticks, COPY_TICKS_INFO, from * 1000, to * 1000);
      for(int i = 0; i < count; i++)
         Append(found, Quote(symbol, ticks[i]));
     }
   else
     {
      MqlRates rates[];
      count = CopyRates(symbol, Frame(frame), (datetime)from, (datetime)to, rates);
      for(int i = 0; i < count; i++)
         Append(found, Candle(symbol, rates[i]));
     }
   if(count < 0)
     {
      Refuse(GetLastError(), "the history cannot be had", "AnswerData");
      return;
     }
   string parts[];
   Append(parts, Named("error", "false"));
   Append(parts, NamedText("symbol", symbol));
   Append(parts, NamedText("timeframe", frame));
   Append(parts, Named("data", "[" + Joined(found) + "]"));
   AnswerNow(parts);
  }

//+------------------------------------------------------------------+
//| Subscriptions                                                    |
//+------------------------------------------------------------------+
void AnswerConfig()
  {
   string symbol = FieldText("symbol");
   string frame = FieldText("chartTF");
   if(!SymbolSelect(symbol, true) || !IsFrame(frame))
     {
      Refuse(4301, "Symbol or chartTF does not exist", "AnswerConfig");
      return;
     }
   int count = ArraySize(g_subscribed);
   bool is_new = true;
   for(int i = 0; i < count; i++)
      if(g_subscribed[i] == symbol && g_subscribed_frame[i] == frame)
         is_new = false;
   if(is_new)
     {
      Append(g_subscribed, symbol);
      Append(g_subscribed_frame, frame);
      ArrayResize(g_subscribed_last, count + 1, 64);
      //--- the candle that is open now is told when it has closed
      g_subscribed_last[count] = frame == "TICK" ? 0 : (long)iTime(symbol, Frame(frame), 0);
     }
   string parts[];
   Append(parts, Named("error", "false"));
   AnswerNow(parts);
  }

void AnswerReset()
  {
   ArrayResize(g_subscribed, 0);
   ArrayResize(g_subscribed_frame, 0);
   ArrayResize(g_subscribed_last, 0);
   string parts[];
   Append(parts, Named("error", "false"));
   AnswerNow(parts);
  }

void PushLive(const string symbol, const string frame, const string data)
  {
   string parts[];
   Append(parts, NamedText("status", "CONNECTED"));
   Append(parts, NamedText("symbol", symbol));
   Append(parts, NamedText("timeframe", frame));
   Append(parts, Named("data", data));
   Push(g_live, "{" + Joined(parts) + "}");
  }

void LookAtSubscription(const int number)
  {
   string symbol = g_subscribed[number];
   string frame = g_subscribed_frame[number];
   if(frame == "TICK")
     {
      MqlTick tick;
      if(SymbolInfoTick(symbol, tick) && tick.time_msc > g_subscribed_last[number])
        {
         g_subscribed_last[number] = tick.time_msc;
         PushLive(symbol, frame, Quote(symbol, tick));
        }
      return;
     }
   long open = (long)iTime(symbol, Frame(frame), 0);
   if(open <= g_subscribed_last[number])
      return;
   MqlRates closed[];
   if(CopyRates(symbol, Frame(frame), 1, 1, closed) == 1)
     {
      g_subscribed_last[number] = open;
      PushLive(symbol, frame, Candle(symbol, closed[0]));
     }
  }

void LookAtSubscriptions()
  {
   bool is_connected = TerminalInfoInteger(TERMINAL_CONNECTED) != 0;
   if(g_was_connected && !is_connected)
      Push(g_live, "{" + NamedText("status", "DISCONNECTED") + "}");
   g_was_connected = is_connected;
   if(!is_connected)
      return;
   int count = ArraySize(g_subscribed);
   for(int i = 0; i < count; i++)
      LookAtSubscription(i);
  }

//+------------------------------------------------------------------+
//| Trading                                                          |
//+------------------------------------------------------------------+
//--- what the symbol itself takes: all or what there is, or the exchange's own rule
ENUM_ORDER_TYPE_FILLING Filling(const string symbol)
  {
   long modes = SymbolInfoInteger(symbol, SYMBOL_FILLING_MODE);
   if((modes & SYMBOL_FILLING_IOC) != 0)
      return ORDER_FILLING_IOC;
   if((modes & SYMBOL_FILLING_FOK) != 0)
      return ORDER_FILLING_FOK;
   return ORDER_FILLING_RETURN;
  }

bool OrderType(const string name, ENUM_ORDER_TYPE &type)
  {
   if(name == "ORDER_TYPE_BUY")             type = ORDER_TYPE_BUY;
   else if(name == "ORDER_TYPE_SELL")       type = ORDER_TYPE_SELL;
   else if(name == "ORDER_TYPE_BUY_LIMIT")  type = ORDER_TYPE_BUY_LIMIT;
   else if(name == "ORDER_TYPE_SELL_LIMIT") type = ORDER_TYPE_SELL_LIMIT;
   else if(name == "ORDER_TYPE_BUY_STOP")   type = ORDER_TYPE_BUY_STOP;
   else if(name == "ORDER_TYPE_SELL_STOP")  type = ORDER_TYPE_SELL_STOP;
   else
      return false;
   return true;
  }

void FillCommon(MqlTradeRequest &request)
  {
   request.magic     = (ulong)FieldWhole("magic");
   request.sl        = FieldNumber("stoploss");
   request.tp        = FieldNumber("takeprofit");
   request.deviation = (ulong)FieldWhole("deviation");
   request.comment   = FieldText("comment");
  }

bool FillNewOrder(MqlTradeRequest &request, const ENUM_ORDER_TYPE type)
  {
   bool is_market = type == ORDER_TYPE_BUY || type == ORDER_TYPE_SELL;
   MqlTick tick;
   request.symbol = FieldText("symbol");
   if(!SymbolSelect(request.symbol, true) || !SymbolInfoTick(request.symbol, tick))
      return false;
   FillCommon(request);
   request.action       = is_market ? TRADE_ACTION_DEAL : TRADE_ACTION_PENDING;
   request.type         = type;
   request.volume       = FieldNumber("volume");
   request.type_filling = is_market ? Filling(request.symbol) : ORDER_FILLING_RETURN;
   request.type_time    = ORDER_TIME_GTC;
   if(is_market)
      request.price = type == ORDER_TYPE_BUY ? tick.ask : tick.bid;
   else
      request.price = NormalizeDouble(FieldNumber("price"),
                                      (int)SymbolInfoInteger(request.symbol, SYMBOL_DIGITS));
   return true;
  }

//--- closing, wholly or in part, and by the position's own ticket: a hedging account needs it
bool FillClose(MqlTradeRequest &request, const ulong ticket, const double volume)
  {
   MqlTick tick;
   if(!PositionSelectByTicket(ticket))
      return false;
   request.symbol = PositionGetString(POSITION_SYMBOL);
   string meant = FieldText("symbol");
   if((meant != "" && meant != request.symbol) || !SymbolInfoTick(request.symbol, tick))
      return false;
   FillCommon(request);
   bool is_long = PositionGetInteger(POSITION_TYPE) == POSITION_TYPE_BUY;
   request.action       = TRADE_ACTION_DEAL;
   request.position     = ticket;
   request.volume       = volume > 0.0 ? volume : PositionGetDouble(POSITION_VOLUME);
   request.type         = is_long ? ORDER_TYPE_SELL : ORDER_TYPE_BUY;
   request.price        = is_long ? tick.bid : tick.ask;
   request.type_filling = Filling(request.symbol);
   request.sl           = 0.0;
   request.tp           = 0.0;
   return true;
  }

//--- the only position of a symbol; none, and several, are no answer to which one is meant
ulong TicketOf(const string symbol)
  {
   ulong found = 0;
   int total = PositionsTotal();
   for(int i = 0; i < total; i++)
     {
      ulong ticket = PositionGetTicket(i);
      if(ticket != 0 && PositionGetString(POSITION_SYMBOL) == symbol)
        {
         if(found != 0)
            return 0;
         found = ticket;
        }
     }
   return found;
  }

bool FillTrade(MqlTradeRequest &request)
  {
   string kind = FieldText("actionType");
   ulong id = (ulong)FieldWhole("id");
   ENUM_ORDER_TYPE type;
   if(OrderType(kind, type))
      return FillNewOrder(request, type);
   if(kind == "ORDER_CANCEL")
     {
      request.action = TRADE_ACTION_REMOVE;
      request.order  = id;
      request.symbol = FieldText("symbol");
      return id != 0;
     }
   if(kind == "ORDER_MODIFY")
     {
      FillCommon(request);
      request.action    = TRADE_ACTION_MODIFY;
      request.order     = id;
      request.price     = FieldNumber("price");
      request.type_time = ORDER_TIME_GTC;
      return id != 0;
     }
   if(kind == "POSITION_MODIFY")
     {
      FillCommon(request);
      request.action   = TRADE_ACTION_SLTP;
      request.position = id;
      if(!PositionSelectByTicket(id))
         return false;
      request.symbol = PositionGetString(POSITION_SYMBOL);
      return true;
     }
   if(kind == "POSITION_PARTIAL")
      return FillClose(request, id, FieldNumber("volume"));
   if(kind == "POSITION_CLOSE_ID")
      return FillClose(request, id, 0.0);
   if(kind == "POSITION_CLOSE_SYMBOL")
      return FillClose(request, TicketOf(FieldText("symbol")), 0.0);
   return false;
  }

//--- a position to be closed that is not there, by the ticket that was named: it was closed already
bool IsGone()
  {
   string kind = FieldText("actionType");
   bool is_close = kind == "POSITION_PARTIAL" || kind == "POSITION_CLOSE_ID";
   return is_close && !PositionSelectByTicket((ulong)FieldWhole("id"));
  }

string TradeParts(const MqlTradeResult &result, const string symbol)
  {
   bool is_done = result.retcode == TRADE_RETCODE_DONE ||
                  result.retcode == TRADE_RETCODE_DONE_PARTIAL ||
                  result.retcode == TRADE_RETCODE_PLACED;
   string parts[];
   Append(parts, Named("error", is_done ? "false" : "true"));
   Append(parts, NamedWhole("retcode", (long)result.retcode));
   Append(parts, NamedText("description", result.comment));
   Append(parts, NamedTicket("deal", result.deal));
   Append(parts, NamedTicket("order", result.order));
   Append(parts, NamedVolume("volume", symbol, result.volume));
   Append(parts, NamedPrice("price", symbol, result.price));
   Append(parts, NamedPrice("bid", symbol, result.bid));
   Append(parts, NamedPrice("ask", symbol, result.ask));
   Append(parts, NamedWhole("request_id", (long)result.request_id));
   return Joined(parts);
  }

void AnswerTrade(const MqlTradeResult &result, const string symbol,
                 const string rid, const string comment)
  {
   string parts[];
   Append(parts, TradeParts(result, symbol));
   Answer(parts, rid, comment);
  }

//--- the server is not waited for: other symbols go on meanwhile
void Trade()
  {
   MqlTradeRequest request = {};
   MqlTradeResult result = {};
   if(!FillTrade(request))
     {
      result.retcode = IsGone() ? TRADE_RETCODE_POSITION_CLOSED : TRADE_RETCODE_INVALID;
      AnswerTrade(result, FieldText("symbol"), FieldText("rid"), FieldText("comment"));
      return;
     }
   if(!OrderSendAsync(request, result) || result.request_id == 0)
     {
      AnswerTrade(result, request.symbol, FieldText("rid"), FieldText("comment"));
      return;
     }
   int count = ArraySize(g_waiting);
   ArrayResize(g_waiting, count + 1, 64);
   ArrayResize(g_waiting_since, count + 1, 64);
   g_waiting[count] = result.request_id;
   g_waiting_since[count] = GetTickCount64();
   Append(g_waiting_rid, FieldText("rid"));
   Append(g_waiting_comment, FieldText("comment"));
  }

void Forget(const int place)
  {
   ArrayRemove(g_waiting, place, 1);
   ArrayRemove(g_waiting_since, place, 1);
   ArrayRemove(g_waiting_rid, place, 1);
   ArrayRemove(g_waiting_comment, place, 1);
  }

//--- what the server never answered: its outcome is unknown (10012), and the client asks for it
void LookAtWaiting()
  {
   for(int i = ArraySize(g_waiting) - 1; i >= 0; i--)
     {
      if(GetTickCount64() - g_waiting_since[i] < (ulong)AnswerTimeoutMs)
         continue;
      MqlTradeResult result = {};
      result.retcode    = TRADE_RETCODE_TIMEOUT;
      result.request_id = g_waiting[i];
      AnswerTrade(result, _Symbol, g_waiting_rid[i], g_waiting_comment[i]);
      Forget(i);
     }
  }

void PushTransaction(const string action, const string symbol, const string comment,
                     const long magic, const string reply, const string deal)
  {
   string parts[];
   Append(parts, NamedText("action", action));
   Append(parts, NamedText("symbol", symbol));
   Append(parts, NamedText("comment", comment));
   Append(parts, NamedWhole("magic", magic));
   string request = Named("request", "{" + Joined(parts) + "}");
   string out = request + "," + Named("reply", "{" + reply + "}");
   if(deal != "")
      out += "," + Named("deal", deal);
   Push(g_streaming, "{" + out + "}");
  }

//--- fills of every order are told as HISTORY TRADES lists them: of limits and stops, and of what
//--- is done by hand
void PushDeal(const ulong ticket)
  {
   if(!HistoryDealSelect(ticket))
      return;
   string symbol = HistoryDealGetString(ticket, DEAL_SYMBOL);
   MqlTradeResult result = {};
   result.retcode = TRADE_RETCODE_DONE;
   result.deal    = ticket;
   result.order   = (ulong)HistoryDealGetInteger(ticket, DEAL_ORDER);
   result.volume  = HistoryDealGetDouble(ticket, DEAL_VOLUME);
   result.price   = HistoryDealGetDouble(ticket, DEAL_PRICE);
   PushTransaction("TRADE_ACTION_DEAL", symbol, HistoryDealGetString(ticket, DEAL_COMMENT),
                   HistoryDealGetInteger(ticket, DEAL_MAGIC), TradeParts(result, symbol),
                   Deal(ticket));
  }

void OnTradeTransaction(const MqlTradeTransaction &transaction,
                        const MqlTradeRequest &request,
                        const MqlTradeResult &result)
  {
   if(transaction.type == TRADE_TRANSACTION_DEAL_ADD)
      PushDeal(transaction.deal);
   if(transaction.type != TRADE_TRANSACTION_REQUEST)
      return;
   for(int i = ArraySize(g_waiting) - 1; i >= 0; i--)
      if(g_waiting[i] == result.request_id)
        {
         AnswerTrade(result, request.symbol, g_waiting_rid[i], g_waiting_comment[i]);
         Forget(i);
        }
   PushTransaction(EnumToString(request.action), request.symbol, request.comment,
                   (long)request.magic, TradeParts(result, request.symbol), "");
  }

//+------------------------------------------------------------------+
//| Requests                                                         |
//+------------------------------------------------------------------+
void Handle(const string text)
  {
   if(!ReadRequest(text))
     {
      Refuse(65537, "a request that is no flat JSON object", "ReadRequest");
      return;
     }
   string action = FieldText("action");
   string kind = FieldText("actionType");
   if(action == "TRADE")          Trade();
   else if(action == "CONFIG")    AnswerConfig();
   else if(action == "RESET")     AnswerReset();
   else if(action == "ACCOUNT")   AnswerAccount();
   else if(action == "BALANCE")   AnswerBalance();
   else if(action == "POSITIONS") AnswerPositions();
   else if(action == "ORDERS")    AnswerOrders();
   else if(action == "SYMBOL")    AnswerSymbol();
   else if(action == "HISTORY" && kind == "DATA")   AnswerData();
   else if(action == "HISTORY" && kind == "TRADES") AnswerDeals();
   else
      Refuse(65538, "Wrong action", "Handle");
  }

//--- OK says that the request was read; the answer comes on the data port
bool HandleNext()
  {
   ZmqMsg message;
   if(!g_system.recv(message, true))
      return false;
   ZmqMsg confirmation("OK");
   g_system.send(confirmation, true);
   if(message.size() > REQUEST_MAX)
     {
      ArrayResize(g_names, 0);
      ArrayResize(g_values, 0);
      Refuse(65537, "a request that is too long", "HandleNext");
      return true;
     }
   Handle(message.getData());
   return true;
  }

void OnTimer()
  {
   for(int i = 0; i < REQUESTS_A_TIMER; i++)
      if(!HandleNext())
         break;
   LookAtWaiting();
   LookAtSubscriptions();
  }

//+------------------------------------------------------------------+
//| Begin and end                                                    |
//+------------------------------------------------------------------+
bool IsLoopback(const string host)
  {
   return host == "127.0.0.1" || host == "localhost";
  }

Socket *Opened(const int kind, const int port)
  {
   Socket *socket = new Socket(g_context, kind);
   socket.setLinger(0);
   socket.setSendHighWaterMark(KEPT_MAX);
   if(CurveSecretKey != "")
     {
      socket.setCurveServer(true);
      socket.setCurvePublicKey(CurvePublicKey);
      socket.setCurveSecretKey(CurveSecretKey);
     }
   string host = Host == "localhost" ? "127.0.0.1" : Host;
   if(!socket.bind(StringFormat("tcp://%s:%d", host, port)))
     {
      PrintFormat("LogosBridge: port %d cannot be had", port);
      delete socket;
      return NULL;
     }
   return socket;
  }

int OnInit()
  {
   bool has_keys = StringLen(CurvePublicKey) == 40 && StringLen(CurveSecretKey) == 40;
   bool is_encrypted = CurvePublicKey != "" || CurveSecretKey != "";
   if((is_encrypted && !has_keys) || (!IsLoopback(Host) && !has_keys))
     {
      Print("LogosBridge: without both CURVE keys it listens on 127.0.0.1 only");
      return INIT_PARAMETERS_INCORRECT;
     }
   g_system    = Opened(ZMQ_REP, SystemPort);
   g_data      = Opened(ZMQ_PUSH, DataPort);
   g_live      = Opened(ZMQ_PUSH, LivePort);
   g_streaming = Opened(ZMQ_PUSH, StreamingPort);
   if(g_system == NULL || g_data == NULL || g_live == NULL || g_streaming == NULL)
      return INIT_FAILED;
   if(!EventSetMillisecondTimer(1))
      return INIT_FAILED;
   return INIT_SUCCEEDED;
  }

void Shut(Socket *socket)
  {
   if(socket != NULL)
      delete socket;
  }

void OnDeinit(const int reason)
  {
   EventKillTimer();
   PrintFormat("LogosBridge: ended (%d), %I64u frames without a client", reason, g_dropped);
   Shut(g_system);
   Shut(g_data);
   Shut(g_live);
   Shut(g_streaming);
   g_system = NULL;
   g_data = NULL;
   g_live = NULL;
   g_streaming = NULL;
  }
//+------------------------------------------------------------------+
