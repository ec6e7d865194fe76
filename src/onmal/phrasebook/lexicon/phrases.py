"""Whole sentences that are said as they are. Korean | English; they occur in training only, for they combine with nothing."""

SAYINGS = """
안녕하세요? | Hello.
안녕하십니까, 여러분? | Hello, everyone.
안녕히 가세요. | Goodbye.
안녕히 주무세요. | Good night.
만나서 반가워요. | Nice to meet you.
처음 뵙겠습니다, 여러분. | How do you do, everyone?
감사해요. | Thank you.
감사합니다, 여러분. | Thank you, everyone.
고마워요, 친구. | Thanks, friend.
미안해요. | I am sorry.
죄송합니다, 손님. | I am sorry, sir.
괜찮아요. | It's okay.
천만에요. | You are welcome.
실례합니다, 손님. | Excuse me, sir.
잘 지냈어요? | How have you been?
오랜만이에요. | Long time no see.
축하해요. | Congratulations.
생일 축하해요. | Happy birthday.
새해 복 많이 받으세요. | Happy New Year.
맛있게 드세요. | Enjoy your meal.
잘 먹었어요. | It was a good meal.
어서 오세요. | Welcome.
조심하세요. | Be careful.
힘내세요. | Cheer up.
걱정하지 마세요. | Don't worry.
잠깐만 기다려 주세요. | Please wait a moment.
다시 한번 말해 주세요. | Please say it again.
도와주세요. | Help me, please.
네, 맞아요. | Yes, that's right.
아니요, 틀렸어요. | No, that's wrong.
알겠어요. | I see.
몰라요. | I don't know.
좋은 하루 보내세요. | Have a nice day.
좋은 주말 보내세요. | Have a nice weekend.
좋은 여행 되세요. | Have a nice trip.
내일 봐요. | See you tomorrow.
나중에 봐요. | See you later.
또 봐요. | See you again.
전화해 주세요. | Please call me.
화장실이 어디예요? | Where is the restroom?
이름이 뭐예요? | What is your name?
지금 몇 시예요? | What time is it now?
오늘은 며칠이에요? | What is the date today?
오늘은 무슨 요일이에요? | What day is it today?
날씨가 어때요? | How is the weather?
무슨 일이에요? | What's the matter?
계산해 주세요. | The bill, please.
건배! | Cheers!
화이팅! | You can do it!
"""
